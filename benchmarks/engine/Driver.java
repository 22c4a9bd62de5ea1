// Drives JavaRosa through one generated form: java Driver FORM.xml RUN.tsv ROUNDS
// RUN.tsv: "repeat\tREF\tCOUNT" and "answer\tPASS\tREF\tVALUE". Prints timings (nanoseconds) and the final instance.
import java.io.File;
import java.io.FileInputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.data.AnswerDataFactory;
import org.javarosa.core.model.data.UncastData;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.util.XFormUtils;

public class Driver {
    static final Map<String, Integer> repeats = new HashMap<>();
    static final TreeMap<Integer, Map<String, ArrayDeque<String>>> passes = new TreeMap<>();

    public static void main(String[] args) throws Exception {
        new JavaRosaCoreModule().registerModule();
        new XFormsModule().registerModule();
        int rounds = Integer.parseInt(args[2]);
        for (int round = 0; round < rounds; round++) {
            read(Path.of(args[1]));
            long start = now();
            FormDef form = XFormUtils.getFormFromInputStream(new FileInputStream(new File(args[0])));
            FormEntryController controller = new FormEntryController(new FormEntryModel(form));
            form.initialize(true, new InstanceInitializationFactory());
            System.out.println("load\t" + (now() - start));
            if (round == 0) {
                controller.stepToNextEvent();
                var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
                System.out.println("cold\t" + system.getProcessCpuTime());
            }
            for (Map<String, ArrayDeque<String>> answers : passes.values()) walk(controller, answers);
            start = now();
            form.validate();
            System.out.println("validate\t" + (now() - start));
            if (round == rounds - 1) {
                Runtime.getRuntime().gc();
                long used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
                System.out.println("memory\t" + used);
                byte[] xml = new XFormSerializingVisitor().serializeInstance(form.getInstance());
                System.out.println("instance\t" + new String(xml, StandardCharsets.UTF_8).replace("\n", ""));
            } else {
                System.out.println("round");
            }
        }
    }

    // CPU time of this thread: what the compiler's and the collector's threads do is not counted.
    static final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    static long now() {
        return threads.getCurrentThreadCpuTime();
    }

    static void read(Path file) throws Exception {
        repeats.clear();
        passes.clear();
        first.clear();
        for (String line : Files.readAllLines(file)) {
            String[] part = line.split("\t", -1);
            if (part[0].equals("repeat")) repeats.put(part[1], Integer.parseInt(part[2]));
            else passes.computeIfAbsent(Integer.parseInt(part[1]), k -> new HashMap<>())
                    .computeIfAbsent(part[2], k -> new ArrayDeque<>()).add(part[3]);
        }
    }

    static void walk(FormEntryController controller, Map<String, ArrayDeque<String>> answers) throws Exception {
        controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int event = controller.stepToNextEvent();
        while (event != FormEntryController.EVENT_END_OF_FORM) {
            FormIndex index = controller.getModel().getFormIndex();
            String ref = index.getReference() == null ? "" : index.getReference().genericize().toString(false);
            if (event == FormEntryController.EVENT_PROMPT_NEW_REPEAT && repeats.getOrDefault(ref, 0) > 0) {
                repeats.merge(ref, -1, Integer::sum);
                long start = now();
                controller.newRepeat();
                System.out.println("add\t" + (now() - start));
            } else if (event == FormEntryController.EVENT_REPEAT) {
                if (index.getInstanceIndex() == 0 && repeats.containsKey(ref) && !seen(ref)) repeats.merge(ref, -1, Integer::sum);
            } else if (event == FormEntryController.EVENT_QUESTION) {
                FormEntryPrompt prompt = controller.getModel().getQuestionPrompt();
                ArrayDeque<String> waiting = answers.get(ref);
                int control = prompt.getControlType();
                if (control == Constants.CONTROL_SELECT_ONE || control == Constants.CONTROL_SELECT_MULTI) {
                    long start = now();
                    int size = prompt.getSelectChoices().size();
                    System.out.println("filter\t" + (now() - start) + "\t" + ref + "\t" + size);
                }
                if (waiting != null && !waiting.isEmpty()) {
                    var data = AnswerDataFactory.template(control, prompt.getDataType()).cast(new UncastData(waiting.poll()));
                    long start = now();
                    controller.answerQuestion(data, true);
                    System.out.println("answer\t" + (now() - start));
                }
            }
            event = controller.stepToNextEvent();
        }
    }

    static final java.util.Set<String> first = new java.util.HashSet<>();

    static boolean seen(String ref) {
        return !first.add(ref);
    }
}
