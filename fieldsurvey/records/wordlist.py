"""Our word list, as one text; `words` says what it is for and a test holds its rules."""

TEXT = """\
abad abajo abanico abarcar abedul abeja abeto abierto abismo ablandar abogado abollar abono abordar abotonar abrazo
abreviar abrigo abrochar absoluto abuelo abundar aburrir acabar academia acampar acaso acatar acceso accionar acebo
aceite acelga acento aceptar acequia acera achira acierto aclarar acoger acolchar acomodar aconsejo acordar acostar
acrobata actitud actor actual acuarela acudir acuerdo acumular acunar adaptar adecuado adelante adentro aderezo
adherir adivinar adjetivo adjunto admirar adobe adoptar adorno adquirir aduana adulto advertir afable afanoso afecto
aferrar afianzar afilar afinar afirmar aflojar afrontar afuera agarrar agave agencia agilidad agitar agosto agotar
agradar agreste agrio agrupar aguacate agudo aguja ahijado ahogar ahorro ahuecar ahumar airear airoso aislar ajedrez
ajeno ajuar ajuste alabar alacena alado alambre alargar albahaca albergue albornoz alcance alcoba aldaba aldea alegre
alejar aleluya alerta aleta alfarero alfiler alfombra alga algo alguien alhaja aliado alicate aliento alimento alinear
alisar aliviar aljibe allanar almeja almohada almuerzo alojar alondra alpaca alquiler altar alternar alto altura
alubia alud alumno alzar amable amalgama amanecer amapola amargo amasar ambiente ambos ameno amigo amistad amor amparo
amplio anacardo anaquel ancho ancla andamio andes andino aneblar anexo anfibio angosto anguila anhelo anillo animal
anotar ansioso antena antiguo antojo anual anudar anular anuncio anzuelo apacible apagar aparato apego apenas apertura
apetito apilar apio aplauso aplicar apodo aportar apostar apoyo aprender aprisa aprobar aptitud apuesto apuntar apurar
aquello aquietar arado arandela arbitro arbusto arcada archivo arcilla arco arder ardilla arduo arena argolla arisco
armario aroma arpa arpista arquero arrancar arreglo arriba arroz arruga arte artista arveja asado asamblea ascenso
aseo asfalto asiduo asiento asignar asilo asimilar asistir asno asociar asombro aspa aspecto aspirar astilla astro
astuto asunto atado atajo atender aterido atinar atisbar atlas atleta atraer atril atuendo aturdir audaz auditor
augurio aula aumento aunque aurora ausente austero autor auxilio avalar avance avecinar avellana avena avestruz
aviador avido aviso avivar axial axila ayer ayuda ayuno azabache azada azafata azahar azalea azar azotea azucena
azufre azul babero babosa bagaje baile bajada bajel bajo balanza balcones balde ballena balsa banana banca bandeja
banquete barato barba barco bardana barniz barrer basar basto basura bata batea batido bautizo baya bazar bazo beber
bebida beca becerro beige bejuco belleza bendito benigno bermejo berro besar beso betabel biblia bien bifurcar bigote
billar biombo bisagra bisel bisonte bizarro bizcocho blanco blindar bloque blusa bobina boca boceto bochorno bocina
boda bodega bogar bohio boina bola boleto bolillo bolsa bomba bonanza bondad bonito boquete bordado boreal borla
borona borrador bosque bostezo bota botella botica brasa bravo brazo brebaje brecha bregar breve brida brillo brincar
brisa brocha broma bronce brote broza bruma brusco bucear bucle budines bueno buey bufanda bufete buitre bulbo bulla
bulto buque burbuja buril buscar busto butaca buzo caballo cabello cabida cable cabo cabra cacao cacerola cachorro
cactus cada cadena caer cafetal caimanes caja cajero calabaza calcio caldo calesa calidad calle calma calor calzado
cama cambio camello camino camote campana canasta cancha candado canela cangrejo canje canoa cansar canto canuto caoba
capa capilla capota capricho capullo cara carbono cardo careta carga caricia carnaval caro carpeta carrera carta casa
cascada casero casi casona castillo casual catar catedral catorce cauce caudal causa cauto cavar caza cazuela cebada
cebolla cebra cecina cedazo cedro ceibo ceja celda celeste celo cemento cena cencerro ceniza censo centavo cepillo
cera cerca cereal cernir cero cerrar certeza cesta cetro chacra chaleco chancla chapa chaqueta charco chelo cheque
chicle chillido chimenea chirriar chispa chivo choclo chorro choza chubasco chuleta churro cicatriz ciclo cidra cielo
cien ciervo cifra cigarra cilantro cilindro cima cimiento cinco cine cinta circo cirio ciruela cisne cita ciudad
clamor clara clase clausura clave cliente clima clon cloro club cobalto cobijo cobre cocada cocer cochera cocina coco
cocuyo codo cofia cofre cogollo cojines cola colcha colegio colgar colina collar colmena color columna comadre
combinar comedor comida como compra comunal concurso conducir conejo confiar congelar conjunto conmover conocer
conserva contar conuco convite copa copete copiar copla coqueto coral corbata corcho cordel corear cornisa coro correr
cortar corvina cosa cosecha cosmos costa coto crater crear crecer credo creer crema cresta creyente cria criba crin
crisol criterio croar crochet cronista croqueta cruce crudo crujir cruz cuaderno cual cuando cuarto cuatro cubeta
cubilete cubo cubrir cuchara cueca cuello cuenca cuerda cuesta cueva cuidar culebra culto cumbre cumplir cuna cundir
cupo cura curioso curso curtir curva custodia cutis dadivoso dado dalia dama dantesco danza dardo dato debate deber
decano decena decidir declarar decorar dedal dedicar dedo deducir defensa definir degustar deidad dejar delante
delfines delgado delicado demanda demora denario denotar denso dentro departir depender deporte derecho derivar
derretir desayuno descanso desde deseo desfile deshielo desierto desliz desnivel despacio destino desvelo detalle
detener deudor devolver dextrosa diadema dialogar diamante diario dibujo dicha dictar diente dieta diez diferir
difundir digerir digital digno dilatar dilema diluir dinero dintel diploma directo disco disfraz disipar disponer
distinto diurno diverso dividir divulgar doblar docena doctor domingo donaire donde dorado dormir dorso dosel dotar
draga drama dual ducha dudar duelo duende dueto dulce dulzura duna duodeno duplicar durar duro ebanista echar eclipse
economia edad edicto edificio editar educar efecto eficaz efigie egreso ejemplo ejercer ejote elaborar elegir elemento
elenco elevar elixir elogio emanar embarque emblema embudo emerger emigrar emitir emotivo empatar empezar empleo
empresa empujar emular enamorar encaje encender enchufe encima encoger encuesta endibia endulzar enebro enero enfocar
engrudo enhebrar enigma enjambre enjuague enlace enmarcar enojo enorme enramada enredo enrollar ensalada entero
entibiar entonces entrar enumerar enunciar envase enviar envolver epazote episodio equipo erguir erigir erizo ermita
erosivo erudito escala escenico escoba escribir escuela esencia esfera esfuerzo esgrima esmalte esmero espacio espejo
espiga esponja espuma esqueje estable estero estilo estopa estrella estudio etapa eterno etiqueta evadir evaluar
evento evidente evitar evocar exacto exaltar examen excavar excepto excusa exhalar exhibir exigir existir exitoso
explicar exponer expreso extenso extra fabricar fabuloso fachada factor facultad faena faisanes faja falange falda
fallo falta fama familia fanega fango fantasma farallon fardo faringe farmacia faro farsa fascinar fase fatiga fauna
favor febrero fecha fecundo feliz felpa femenino feria fermento feroz ferry fervor festivo fiable fiambre fiar fibra
ficha fideo fiebre fiel fiera fiesta figura fijar fila filoso filtro final finca fingir finito fino firma fiscal
fisgar flamenco flanco flauta flecha flexible flor flotar fluir flujo fluvial foca foco fogata fogones folio folleto
fomento fonda fontana forjar forma foro forrar fortuna forzar foto fragua franja frase fraterno freno fresa friega
frijol frio frisar fritura frondoso frotar fruta fuego fuelle fuente fuera fugaz fulgor fumarola funda furgones
furioso fusible fusta futbol futuro gabinete gacela gafas gaita gajo gala galgo galleta gama gamo ganado gancho ganso
garabato garbanzo garganta garita garra garza gasa gasolina gasto gatear gato gaucho gaveta gaviota gelatina gema
gemelo general genio gente genuino geranio gesto gigante gimnasio girar giro glaciar gladiolo glicina global gloria
glosa gnomo gobierno golfo golpe goma gorra gota gotera gozar grabar gracia grado grafito grama grande grapa grasa
grato gravilla greca greda gremio grieta grifo grillo gripe gris grito grosor grueso grulla grumete grupo gruta guaba
guadua guagua guante guapo guardar guayaba gubia guepardo guiar guijarro guinda guion guiso guitarra gusano gusto haba
haber habitar hablar hacer hacha hacienda halago halcones hallar hamaca hambre harapo harina harto hasta haya hebilla
hebra hecho helado helecho henchir heno herbario herencia hermano heroico herrero hervir hidalgo hidrato hielo hierba
higiene higo higuera hija hilera hilo himno hinchar hinojo hipnosis hipo historia hocico hogar hoja hojear hola
holgado hollar hombre homenaje hondo honesto hongo honor hora hormiga horno hospital hostal hotel hoyo huaca huella
huerto hueso huevo humano humedad humilde humo hundir hurones huso idea idioma iglesia igual iluminar imagen imitar
impacto imperio implicar importar impulso incienso incluir indagar indicar infancia infinito informe ingenio ingreso
inicio injerto inmenso innovar inquieto insecto insignia instante integrar intuir invento invierno ironizar irrigar
isla isleta izar jabalina jabones jacinto jaguar jalar jalea jamaica jamones jarabe jardines jarra jaula jazmines jefe
jengibre jersey jilguero jinete jirafa jirones jocoso jornada joropo joven joya jubilar judo juego jueves juez jugar
jugo juguete juicio julio junco junio juntar jurado justo juventud juzgar labio labor labrar lacio lacre ladera
ladrillo lagarto lago laguna lama lamento lana lancha langosta lanzar lapicero largo larva lasca lata lateral latido
laurel lava lazo leal leche lectura leer legado legumbre lejano lejos lema lengua lento letra levadura leve leyenda
liana libertad libre licencia licuado liderar lienzo liga ligero lija lila lima limones limpio linaje lindo lino
linterna liquidar lirio liso lista literal litro liviano llama llano llave llegar llenar llevar llover lluvia lobo
local locutor lodo logro loma lomo lona loro losa lote loza luces lucir luego lugar lujo lumbre luminoso luna lunes
lupa lustre maceta machete macizo madeja madre madurar maestro magia magno maizal majestad maleta malla malva mamut
manada mancha manda manejo manga mano manso manta manual manzana mapa maqueta maraca marco marea marfil margen
mariposa marrones martillo marzo masa mascota mashua masticar mata materia matiz mayo mazorca mecedora mecha medalla
media medusa mejilla mejor melena melones memoria menos mensaje menta menudo mercado merecer merienda mesa meseta meta
metro mezcla micro miel miembro mientras miga mijo milagro milla mimar mimbre mina mineral minuto mirar mirlo misa
mismo mitad mito mixto mochila moda modelo mojar molde moler molino momento monarca moneda montar mora mordisco morral
mosaico mosca mosto motivo moto mover mozo muchacho mudanza mueble muela mujer multa mundo muralla murmullo muro musa
museo musgo muslo mutuo nabo nacer nacional nadar nadie naranja narciso nariz narrar nata nativo natural nave navidad
neblina negar negocio nervio nevada nevera nexo nido niebla nieto nieve ninguno nitido nivel nobleza noche nocturno
nogal nombre nopal norma norte nota noticia novela novio nube nublado nuca nudillo nudo nuera nuestro nueve nuez
numeral nunca nutria oasis obedecer objeto obligar obra obrero obsequio obstante obtener obvio ocaso ocelote ocio
octavo octubre ocultar ocupar ocurrir odisea oeste oferta oficio ofrecer ojal ojear oleaje oliva olla olmo olor olvido
ombligo omitir once onda opaco opcional opinar oponer optar opuesto oralidad orar orden oreja orfebre organza orgullo
orientar origen orilla orquesta ortiga oruga oscuro osito ostentar ostra otorgar otro oveja ovillo paciente pacto
padre pagar paisaje pala paleta palma palo pampa panal pandero panela pantalla papa papel paquete parada parche pared
pariente parque parra parte pasaje pase pasillo paso pasta pata patear patines pato patria pausa pauta pavo peatones
pecera pecho pedal pedir pegar peinado pelar pelo peluca pensar peonza peor pepino pera perejil perfume perla permiso
pero perro persiana pesa pesca peso pestillo petaca piano picadura pico piedra piel pierna pieza pila piloto pimienta
pinar pincel pino pintar pinza pipa piragua pisar piscina piso pista pitar pizarra placa plan plata playa plaza plegar
pleno plomo pluma plural poblado poco poder podio poema poeta polea polilla pollito polo pomada pomelo poncho poner
popular poro portal posada posible postre potaje potro pozo pradera precio predio prefijo pregunta premio prenda
preparar presente pretil prever prima princesa prisa privado probar proceso producto profesor progreso prohibir
promesa pronto propio prosa proteger provecho prueba puchero pueblo puente puerta pues pulga pulir pulmones pulpo
pulsera puma punta pupila pureza puro quedar queja quemar querer queso quien quimera quince quiosco quitar rabo racimo
radar radio rama ramo rampa rana rancho rango raqueta raro rascar rasgo raspar rastro rato raya rayo razones reactivo
real rebajar rebozo recado receta recibir recoger recreo rectitud recuerdo redactar redondo reducir reflejo refresco
refugio regalo regla regreso reino reir reja relato relevo relieve rellano reloj remar remedio remo renacer rendir
reno renta repartir repetir repisa repollo represa reptar repuesto resina resorte respeto restar reto retrato retumbar
reunir reverso revista rezar ribera rico riego rienda rifa rigor rima rincones ringlera risa ritmo rito rivera rizo
roble robusto roca rodaja rodear rodilla rogar rojo rollo romance romero romper ronda ropa rosa rostro roto rubi rubor
rueda ruego rugido ruido ruleta rumba rumor rural ruta rutina sabana saber sabio sabor sabroso sacar sacho saco
sacudir sagaz sala salero salida salmones salsa saltar salud salvar sandalia sano santo saque sardina sarta sastre
sauce sauna savia saya sazonar seco secreto sector seda sede seguir seis sello selva semana semilla sencillo senda
sentado separar sepia sereno serie serrucho servir sesenta seta setenta severo siembra sierra siesta siete siglo signo
sigue silencio silla silueta similar simple sincero sino sirena sitio situar soberano sobre socavar social sofa solapa
soldar solera solo soltar sombra sonajero soneto sonido sonrisa sopa soplar soporte sorbete sordina sorpresa sortija
sosiego sostener suave subir sublime suburbio suceso sudar suegro suela suerte sufijo sugerir sujetar suma sumergir
superar suplir suponer surco sureste surgir surtido suspiro sustento susurro sutil tabaco tabla taburete tacita taco
tajada tajo taladro talco talento taller talones tamal tambor tamiz tampoco tanda tango tanque tanto tapa tapete tapir
tarde tarea tarifa tarjeta tarro tarta tasa tatuaje taza teatro techo teclado tejado tejer tejido tela tema temblar
templo tenaz tender tenedor tenis tenor tenue teorema tercero terminar ternero terraza tesoro testigo textil tibio
tiempo tienda tierno tigre tijera tilde tilo timbre tina tinta tipo tira tiritar titular tiza toalla tobillo tocar
todo toldo tolerar tomar tomillo tonel tono topar tope toque torcer tordo tormenta tornillo toro torre torta tostada
total trabajo tractor traer traje trama trapo tras trato travesia trazo tregua tren trepar tres trigo trillar trineo
trio triplete trompeta tronco tropical trote trovador trozo trucha trueno tubo tucanes tuerca tumbar tunante turista
turno turquesa turrones tutor ubicar ufano ulpo umbral ungir unidad uniforme unir universo untar urbano urdir urgente
usar usual utilidad uvilla vaca vaciar vacuna vadear vado vagones vaho vaina vajilla vale valla valor vals valuar
vapor vaquero vara variar vasija vaso vasto vecino vega veinte vela velero vello veloz vena vencer vendar venir venta
verano verbo verdad vereda vergel verja verso verter vestido veta viaje vibrar vida video vidrio viejo viento viernes
viga vigilar vigor villa vinagre vino viola virar virtud visita vista vital vitral vivero vivir vocal vocero volar
volcanes volumen volver votar vuelo yacer yate yegua yelmo yema yerba yerno yeso yodo yogur yuca yugo yunque yunta
zafiro zaguanes zambomba zampar zancada zanja zapallo zapote zarpar zarza zinc zona zorro zorzal zumbido zumo zurcir
zurdo
"""
