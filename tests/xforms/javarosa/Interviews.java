// Runs interviews through JavaRosa: java -cp ODK_Validate.jar Interviews.java STEPS.tsv
// Lines: "case ID FORM MEDIA_FOLDER", "answer REF VALUE", "add REF", "remove REF", "language NAME", "validate".
// Prints a line of JSON for every case and step: the result, the instance, and all places of a walk through the form.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.javarosa.core.model.*;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.instance.*;
import org.javarosa.core.reference.*;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.form.api.*;
import org.javarosa.model.xform.*;
import org.javarosa.xform.util.XFormUtils;

public class Interviews {
    static String media = "";
    static FormDef form;
    static FormEntryController controller;
    static PrintStream out;

    static class MediaFiles extends PrefixedRootFactory {
        MediaFiles() { super(new String[] {"file/", "file-csv/", "images/", "audio/", "video/"}); }
        protected Reference factory(String terminal, String uri) {
            return new Reference() {
                File file() { return new File(media, terminal); }
                public boolean doesBinaryExist() { return file().exists(); }
                public InputStream getStream() throws IOException { return new FileInputStream(file()); }
                public String getURI() { return uri; }
                public String getLocalURI() { return file().getPath(); }
                public boolean isReadOnly() { return true; }
                public OutputStream getOutputStream() { return null; }
                public void remove() {}
                public Reference[] probeAlternativeReferences() { return new Reference[0]; }
            };
        }
    }

    static String q(String s) {
        if (s == null) return "null";
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') b.append('\\').append(c);
            else if (c < 32) b.append(String.format("\\u%04x", (int) c));
            else b.append(c);
        }
        return b.append('"').toString();
    }

    static String why(Throwable e) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; e != null && i < 3; i++, e = e.getCause()) b.append(e.getClass().getSimpleName()).append(": ").append(e.getMessage()).append(" | ");
        return b.toString();
    }

    public static void main(String[] args) throws Exception {
        out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        new JavaRosaCoreModule().registerModule();
        new XFormsModule().registerModule();
        ReferenceManager.instance().addReferenceFactory(new MediaFiles());
        boolean broken = false;
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] p = line.split("\t", -1);
            try {
                if (p[0].equals("case")) {
                    out.println("{\"case\":" + q(p[1]) + "}");
                    broken = true;
                    media = p[3];
                    form = XFormUtils.getFormFromInputStream(new FileInputStream(p[2]));
                    controller = new FormEntryController(new FormEntryModel(form));
                    form.initialize(true, new InstanceInitializationFactory());
                    broken = false;
                    report("load", null);
                } else if (broken) {
                    continue;
                } else {
                    String result = null;
                    try { result = act(p); }
                    catch (Throwable e) { result = "failed " + why(e); }
                    report(p[0], result);
                }
            } catch (Throwable e) {
                out.println("{\"broken\":" + q(why(e)) + "}");
                broken = true;
            }
        }
    }

    static String here() {
        FormIndex index = controller.getModel().getFormIndex();
        return index.getReference() == null ? "" : index.getReference().toString(true);
    }
    static String norm(String ref) { return ref.replace("[1]", ""); }

    static String act(String[] p) throws Exception {
        if (p[0].equals("language")) { controller.setLanguage(p[1]); return "ok"; }
        if (p[0].equals("validate")) { ValidateOutcome o = form.validate(true); return o == null ? "valid" : "invalid " + o.failedPrompt.getReference() + " " + o.outcome; }
        controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int event = controller.stepToNextEvent();
        while (event != FormEntryController.EVENT_END_OF_FORM) {
            String ref = here();
            if (p[0].equals("answer") && event == FormEntryController.EVENT_QUESTION && norm(ref).equals(norm(p[1]))) {
                FormEntryPrompt prompt = controller.getModel().getQuestionPrompt();
                IAnswerData data = p[2].isEmpty() ? null : AnswerDataFactory.template(prompt.getControlType(), prompt.getDataType()).cast(new UncastData(p[2]));
                return "" + controller.answerQuestion(data, true);
            }
            if (p[0].equals("add") && event == FormEntryController.EVENT_PROMPT_NEW_REPEAT
                && norm(controller.getModel().getFormIndex().getReference().getParentRef().toString(true)).equals(norm(p[1].substring(0, p[1].lastIndexOf('/'))))
                && controller.getModel().getFormIndex().getReference().genericize().toString(false).equals(p[1].replaceAll("\\[\\d+\\]", ""))) {
                controller.newRepeat();
                return "ok";
            }
            if (p[0].equals("remove") && event == FormEntryController.EVENT_REPEAT && norm(ref).equals(norm(p[1]))) {
                controller.deleteRepeat();
                return "ok";
            }
            event = controller.stepToNextEvent();
        }
        return "not there";
    }

    static void report(String op, String result) throws Exception {
        StringBuilder walk = new StringBuilder("[");
        String failed = null;
        try {
            controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
            int event = controller.stepToNextEvent();
            int n = 0;
            while (event != FormEntryController.EVENT_END_OF_FORM && n++ < 2000) {
                String kind = event == FormEntryController.EVENT_QUESTION ? "Q" : event == FormEntryController.EVENT_GROUP ? "G" : event == FormEntryController.EVENT_REPEAT ? "R" : "P";
                if (walk.length() > 1) walk.append(",");
                walk.append("[").append(q(kind)).append(",").append(q(here()));
                if (event == FormEntryController.EVENT_QUESTION) {
                    FormEntryPrompt prompt = controller.getModel().getQuestionPrompt();
                    walk.append(",").append(q(text(prompt))).append(",").append(prompt.isRequired()).append(",").append(prompt.isReadOnly());
                    int control = prompt.getControlType();
                    if (control == Constants.CONTROL_SELECT_ONE || control == Constants.CONTROL_SELECT_MULTI || control == Constants.CONTROL_RANK) {
                        String choices;
                        try {
                            choices = prompt.getSelectChoices().stream().map(c -> "[" + q(c.getValue()) + "," + q(prompt.getSelectChoiceText(c)) + "]").collect(Collectors.joining(","));
                        } catch (Throwable e) { choices = q("failed " + why(e)); }
                        walk.append(",[").append(choices).append("]");
                    }
                }
                walk.append("]");
                event = controller.stepToNextEvent();
            }
        } catch (Throwable e) { failed = why(e); }
        String xml;
        try { xml = new String(new XFormSerializingVisitor().serializeInstance(form.getInstance()), StandardCharsets.UTF_8); }
        catch (Throwable e) { xml = null; failed = failed + why(e); }
        out.println("{\"op\":" + q(op) + ",\"result\":" + q(result) + ",\"failed\":" + q(failed) + ",\"xml\":" + q(xml) + ",\"walk\":" + walk + "]}");
    }

    static String text(FormEntryPrompt prompt) {
        try { return prompt.getQuestionText(); } catch (Throwable e) { return "failed " + why(e); }
    }
}
