/**
 * What the host says, in German. The keys are its English sentences with `{}` for what varies; `{1}`, `{2}` ... stand
 * for those parts in order. A sentence that is not here is shown as it came.
 */
export const MESSAGES: Readonly<Record<string, string>> = {
  // devices
  'Processor, {} threads': 'Prozessor, {1} Threads',
  'Graphics card ({})': 'Grafikkarte ({1})',
  'NVIDIA graphics card (CUDA)': 'NVIDIA-Grafikkarte (CUDA)',
  'Apple Neural Engine and graphics (Core ML)': 'Apple Neural Engine und Grafik (Core ML)',
  'not part of this build of the runtime': 'in dieser Laufzeit nicht enthalten',
  'its library did not come with this build of the runtime': 'die Bibliothek dazu liegt dieser Laufzeit nicht bei',
  'not tried yet': 'noch nicht geprüft',
  'works; test network in {} ms': 'läuft; Prüfnetz in {1} ms',
  'works, but slowly: a software device; test network in {} ms':
    'läuft, aber langsam, da in Software nachgebildet; Prüfnetz in {1} ms',
  'computes wrongly here (off by {})': 'rechnet hier falsch (Abweichung {1})',
  'does not work here: {}': 'läuft hier nicht: {1}',
  'its library is not installed': 'die Bibliothek dazu ist nicht installiert',
  'no graphics card with a driver was found': 'keine Grafikkarte mit Treiber gefunden',
  // jobs and memory
  'the engine process stopped ({})': 'Die Maschine ist abgestürzt ({1})',
  'a model file was cut or could not be read while a picture was being made':
    'Eine Modelldatei wurde abgeschnitten oder war nicht lesbar, während ein Bild entstand',
  'the engine stopped {} times in a row; the queue is paused':
    'Die Maschine ist {1}-mal hintereinander abgestürzt; die Warteschlange ist angehalten',
  'the engine was stopped': 'Die Maschine wurde beendet',
  'the studio is closing': 'Das Studio wird gerade geschlossen',
  'the job was cancelled': 'Der Auftrag wurde abgebrochen',
  'another pack is working': 'Ein anderes Modell arbeitet gerade',
  'the job {} does not wait in the queue': 'Der Auftrag {1} wartet nicht in der Schlange',
  'there is no job {}': 'Den Auftrag {1} gibt es nicht',
  'this needs about {} MB; {} MB are free': 'Dafür werden etwa {1} MB gebraucht; {2} MB sind frei',
  'this needs about {} GB of memory; {} of {} GB are free':
    'Dafür werden etwa {1} GB Speicher gebraucht; {2} von {3} GB sind frei',
  '{} needs about {} MB to load; {} MB are free': '{1} braucht beim Laden etwa {2} MB; {3} MB sind frei',
  '{} x {} pixels is more than this studio enlarges to (64 million)':
    '{1} × {2} Pixel sind mehr, als dieses Studio vergrößert (64 Millionen)',
  'the segment to redo covers nothing of the picture': 'Das Segment, das neu werden soll, bedeckt nichts vom Bild',
  'the picture is {} x {}, the canvas {} x {}': 'Das Bild misst {1} × {2}, die Leinwand {3} × {4}',
  '{} is not a visible segment of this scene': '{1} ist kein sichtbares Segment dieser Szene',
  'the crop of a slot lies outside its picture': 'Der Ausschnitt eines Segments liegt außerhalb seines Bildes',
  'a mix of mixes of mixes goes too deep': 'Mischungen von Mischungen von Mischungen gehen zu tief',
  '{} is filled by a picture, and {} reads texts only': '{1} ist mit einem Bild gefüllt, {2} liest aber nur Texte',
  'the detail pass could not be ordered: {}': 'Der Detaildurchgang konnte nicht bestellt werden: {1}',
  // models
  '{} cannot be loaded: {}': '{1} lässt sich nicht laden: {2}',
  'there is no usable pack in {}': 'In {1} ist kein brauchbares Modell',
  'there is no pack named {} here': 'Ein Modell namens {1} gibt es hier nicht',
  'the pack {}: {}': 'Das Modell {1}: {2}',
  'the pack {} has no {}': 'Dem Modell {1} fehlt: {2}',
  'a pack with the id {} is already there, at {}': 'Ein Modell mit der Kennung {1} ist schon da, in {2}',
  '{} is no model pack: it has no pack.json': '{1} ist kein Modell: pack.json fehlt',
  '{} is no model pack and no checkpoint that the studio knows':
    '{1} ist weder ein Modell noch ein Checkpoint, den das Studio kennt',
  '{} is no longer where it was': '{1} liegt nicht mehr dort, wo es lag',
  '{} is no longer where it was ({})': '{1} liegt nicht mehr dort, wo es lag ({2})',
  '{} was changed while it was in use': '{1} wurde geändert, während es in Gebrauch war',
  '{} holds no denoiser': '{1} enthält kein Netz, das Bilder malt',
  'there is no embedded pack to enlarge the picture with': 'Zum Vergrößern fehlt das eingebaute Modell',
  'there is no embedded pack to search with': 'Zum Suchen fehlt das eingebaute Modell',
  '{} fits no layer of {}: it was made for a model of another family':
    '{1} passt zu keiner Schicht von {2}: es ist für eine andere Modellfamilie gemacht',
  // pictures and files
  'the picture cannot be read ({})': 'Das Bild ist nicht lesbar ({1})',
  'the picture has more than {} million pixels': 'Das Bild hat mehr als {1} Millionen Pixel',
  'the picture has {} x {} pixels; a side may have at most {}':
    'Das Bild hat {1} × {2} Pixel; eine Seite darf höchstens {3} haben',
  'that is no picture the studio knows': 'Das ist kein Bild, das das Studio kennt',
  '{} is not a file': '{1} ist keine Datei',
  '{} is no file': '{1} ist keine Datei',
  '{} has {} bytes, at most {}': '{1} hat {2} Bytes, erlaubt sind {3}',
  '{} has {} bytes': '{1} ist mit {2} Bytes zu groß',
  '{} is empty': '{1} ist leer',
  'the table of colours: “{}” is no colour': 'Die Farbtabelle: „{1}“ ist keine Farbe',
  'the table of colours: {} has no text': 'Die Farbtabelle: zu {1} fehlt der Text',
  '{} is no file that the studio knows': '{1} ist keine Datei, die das Studio kennt',
  'expected the whole path of a file': 'Erwartet wird der vollständige Pfad einer Datei',
  'the browser has no dialogs for files on this machine':
    'Der Browser hat keine Dialoge für Dateien auf diesem Rechner',
  '{}: a picture without a scene inside': '{1}: ein Bild ohne Szene darin',
  '{} did not come along': '{1} ist nicht mitgekommen',
  'not a PSD file': 'Das ist keine PSD-Datei',
  'the PSD file cannot be read ({})': 'Die PSD-Datei ist nicht lesbar ({1})',
  'not a PNG picture': 'Das ist kein PNG-Bild',
  'the PNG picture is cut off': 'Das PNG-Bild ist abgeschnitten',
  'the SVG has no area': 'Das SVG hat keine Fläche',
  'it is cut off, or something else': 'sie ist abgeschnitten, oder etwas anderes',
  'the studio ended without closing it': 'das Studio endete, ohne sie zu schließen',
  'it was closed with changes that are in no project file':
    'sie wurde mit Änderungen geschlossen, die in keiner Projektdatei stehen',
  '{}; its file {} is gone': '{1}; ihre Datei {2} ist nicht mehr da',
  '{}; {} was changed since by another program': '{1}; {2} wurde seither von einem anderen Programm geändert',
  'not a good zip file: {}': 'Keine gute Zip-Datei: {1}',
  'not JSON ({})': 'Das ist kein JSON ({1})',
  'not a scene: the file is not JSON ({})': 'Keine Szene: die Datei ist kein JSON ({1})',
  'not a scene: "format" is not "spatext-scene", or there is no "version"':
    'Keine Szene: „format“ ist nicht „spatext-scene“, oder „version“ fehlt',
  'not a good scene: {}': 'Keine gute Szene: {1}',
  'the scene inside the file is damaged': 'Die Szene in der Datei ist beschädigt',
  'the scene has version {}; this release reads up to {}':
    'Die Szene hat Version {1}; diese Ausgabe liest bis Version {2}',
  'the project has version {}; this release reads up to {}':
    'Das Projekt hat Version {1}; diese Ausgabe liest bis Version {2}',
  'not a project: the file has no project.json': 'Kein Projekt: project.json fehlt',
  'a zip file that is neither a project nor an OpenRaster picture':
    'Eine Zip-Datei, die weder Projekt noch OpenRaster-Bild ist',
  '{} has none of the segments of its annotations': '{1} enthält keines der Segmente aus den Annotationen',
  'annotations of no image': 'Annotationen ohne ein Bild',
  'the annotations have no image {}': 'In den Annotationen gibt es kein Bild {1}',
  'not good COCO panoptic annotations: {}': 'Das sind keine brauchbaren COCO-Annotationen: {1}',
  'the file names {}, which is no bare file name': 'Die Datei nennt {1}; das ist kein einfacher Dateiname',
  'a table of colours and texts, without its label map': 'Eine Tabelle aus Farben und Texten, ohne ihre Karte',
  'the picture has none of the colours of the table': 'Das Bild hat keine der Farben der Tabelle',
  'the areas are in the picture {}': 'Die Flächen stehen im Bild {1}',
  // documents
  'this document is no longer open': 'Dieses Dokument ist nicht mehr offen',
  'this document is open in another window': 'Dieses Dokument ist in einem anderen Fenster offen',
  'this document is open; it cannot be discarded now': 'Dieses Dokument ist offen und lässt sich jetzt nicht verwerfen',
  'this unsaved document is no longer there': 'Dieses ungesicherte Dokument ist nicht mehr da',
  '{} is open in another window': '{1} ist in einem anderen Fenster offen',
  '{} is open in another window or program (process {})':
    '{1} ist in einem anderen Fenster oder Programm offen (Prozess {2})',
  'the autosaved document was written by a newer release':
    'Das automatisch gesicherte Dokument stammt aus einer neueren Ausgabe',
  'a part of the autosave of {} could not be read': 'Ein Teil der Sicherung von {1} war nicht lesbar',
  'autosaving works again': 'Das automatische Sichern geht wieder',
  // history
  'the history cannot be opened: {}': 'Der Verlauf lässt sich nicht öffnen: {1}',
  'the history could not take the picture: {}': 'Der Verlauf konnte das Bild nicht aufnehmen: {1}',
  'there is no result {}': 'Das Ergebnis {1} gibt es nicht',
  '{} is not in the history (any more)': '{1} ist nicht (mehr) im Verlauf',
  'this saved segment is no longer there': 'Dieses gesicherte Segment ist nicht mehr da',
  'the library is open in another window or program': 'Die Bibliothek ist in einem anderen Fenster oder Programm offen',
  'the library stopped: {}': 'Die Bibliothek ist abgestürzt: {1}',
  // the machine
  '{}: the disk is full': '{1}: der Datenträger ist voll',
  'the disk is full': 'Der Datenträger ist voll',
  '{}: no such file ({})': '{1}: keine solche Datei ({2})',
  'no such file ({})': 'Keine solche Datei ({1})',
  '{}: writing or reading is not allowed here ({})': '{1}: hier darf nicht gelesen oder geschrieben werden ({2})',
  'writing or reading is not allowed here ({})': 'Hier darf nicht gelesen oder geschrieben werden ({1})',
};

/** What was kept. */
export const KEPT: Readonly<Record<string, string>> = {
  'all pictures finished before': 'alle bis dahin fertigen Bilder',
  'drawing and generating work; results are kept until the studio is closed':
    'Zeichnen und Erzeugen gehen; Ergebnisse bleiben, bis das Studio geschlossen wird',
  'everything else was saved': 'alles andere ist gesichert',
  'everything it had confirmed is on disk': 'alles, was bestätigt war, ist auf dem Datenträger',
  'everything up to that point was recovered': 'alles bis zu dieser Stelle wurde wiederhergestellt',
  'it is shown until the studio is closed': 'es wird gezeigt, bis das Studio geschlossen wird',
  'its last state is among the recoverable documents': 'der letzte Stand ist unter den wiederherstellbaren Dokumenten',
  'nothing was changed': 'nichts wurde geändert',
  'nothing was read or changed': 'nichts wurde gelesen oder geändert',
  'nothing was started': 'nichts wurde begonnen',
  'that version was kept as {}': 'diese Fassung ist als {1} aufgehoben',
  'the damaged file was kept as {}; pictures and projects are untouched':
    'die beschädigte Datei ist als {1} aufgehoben; Bilder und Projekte sind unberührt',
  'the document is autosaved by the studio all the same': 'das Studio sichert das Dokument trotzdem automatisch',
  'the file is as it was, and the document stays autosaved':
    'die Datei ist, wie sie war, und das Dokument bleibt automatisch gesichert',
  'the file is unchanged': 'die Datei ist unverändert',
  'the library is unchanged': 'die Bibliothek ist unverändert',
  'the picture is in the history': 'das Bild ist im Verlauf',
  'the picture is unchanged': 'das Bild ist unverändert',
  'the scene is unchanged': 'die Szene ist unverändert',
  'the scene, the other jobs and all finished pictures': 'die Szene, die anderen Aufträge und alle fertigen Bilder',
  'the studio goes on with the packs it had': 'das Studio arbeitet mit den bisherigen Modellen weiter',
  'this copy is kept; save it under another name': 'diese Kopie bleibt; bitte unter anderem Namen sichern',
  'your changes are kept in memory, and saving is tried again every second':
    'die Änderungen bleiben im Speicher; das Sichern wird jede Sekunde wieder versucht',
};

/** What to do. */
export const REMEDIES: Readonly<Record<string, string>> = {
  'ask again': 'noch einmal versuchen',
  'ask again when the job is done': 'nach dem laufenden Auftrag noch einmal versuchen',
  'check the pack (spatext packs check), or choose another': 'das Modell prüfen oder ein anderes wählen',
  'choose a file saved by the studio (.spatext)': 'eine Datei des Studios wählen (.spatext)',
  'choose a folder with pack.json or model_index.json, or a .safetensors checkpoint':
    'einen Ordner mit pack.json oder model_index.json wählen, oder einen .safetensors-Checkpoint',
  'choose a scene (.json), a project (.spatext) or a picture made by the studio':
    'eine Szene (.json), ein Projekt (.spatext) oder ein Bild des Studios wählen',
  'choose a scene, a project, a picture, a PSD, OpenRaster or SVG file, a label map or COCO annotations':
    'eine Szene, ein Projekt, ein Bild, eine PSD-, OpenRaster- oder SVG-Datei, eine Karte oder COCO-Annotationen wählen',
  'choose another data folder, or free some space': 'einen anderen Datenordner wählen oder Platz schaffen',
  'choose another device in the settings, then go on': 'in den Einstellungen ein anderes Gerät wählen, dann fortsetzen',
  'choose another file': 'eine andere Datei wählen',
  'write {"#rrggbb": "local text", ...}': '{"#rrggbb": "Text des Segments", ...} schreiben',
  'choose another file, or a backup of this one': 'eine andere Datei wählen oder eine Sicherung von dieser',
  'choose another folder': 'einen anderen Ordner wählen',
  'choose some in the history': 'im Verlauf welche wählen',
  'choose the crop again': 'den Ausschnitt neu wählen',
  'choose the file in the dialog, or drop it on the canvas': 'die Datei im Dialog wählen oder auf die Leinwand ziehen',
  'choose the place in the dialog': 'den Ort im Dialog wählen',
  'close other programs, or choose a smaller canvas': 'andere Programme schließen oder eine kleinere Leinwand wählen',
  'close other programs, or choose a smaller pack': 'andere Programme schließen oder ein kleineres Modell wählen',
  'close the other one, or start this one with another data folder':
    'das andere schließen oder dieses mit einem anderen Datenordner starten',
  'copy the address into your browser if you trust it':
    'die Adresse in den Browser kopieren, wenn sie vertrauenswürdig ist',
  'correct the file in that place, or open an earlier copy':
    'die Datei an dieser Stelle berichtigen oder eine frühere Fassung öffnen',
  'drop the file on the canvas, or save to the projects folder':
    'die Datei auf die Leinwand ziehen oder in den Projektordner sichern',
  'free some space and try again': 'Platz schaffen und noch einmal versuchen',
  'generate a picture for this canvas first': 'zuerst ein Bild für diese Leinwand erzeugen',
  'generate again; if it happens again, choose a smaller size, fewer pictures or another device':
    'noch einmal erzeugen; geschieht es wieder: kleineres Format, weniger Bilder oder ein anderes Gerät wählen',
  'give the path from the root of the disk': 'den Pfad von der Wurzel an angeben',
  'go on in the other window, close it there first, or save under another name':
    'im anderen Fenster weiterarbeiten, dort zuerst schließen oder unter anderem Namen sichern',
  'go on in the other window, or save under another name':
    'im anderen Fenster weiterarbeiten oder unter anderem Namen sichern',
  'install the studio again': 'das Studio neu installieren',
  'load the window again': 'das Fenster neu laden',
  'make it smaller first': 'zuerst verkleinern',
  'make the picture smaller, or split it': 'das Bild verkleinern oder teilen',
  'make the segment anew from there': 'das Segment von dort aus neu erzeugen',
  'mix at most eight times': 'höchstens achtmal mischen',
  'open it with a newer release': 'mit einer neueren Ausgabe öffnen',
  'open it with the newer release': 'mit der neueren Ausgabe öffnen',
  'open or drop the JSON and this picture together': 'das JSON und dieses Bild zusammen öffnen oder hereinziehen',
  'open or drop the table and the picture together': 'die Tabelle und das Bild zusammen öffnen oder hereinziehen',
  'compare the path with the folder': 'den Pfad mit dem Ordner vergleichen',
  'put the file back as it was and generate again, or choose another model':
    'die Datei wieder hinlegen, wie sie war, und noch einmal erzeugen, oder ein anderes Modell wählen',
  'put the file back or choose another model; add it again if it was replaced on purpose':
    'die Datei zurücklegen oder ein anderes Modell wählen; wurde sie mit Absicht ersetzt, noch einmal hinzufügen',
  'put the folder back as it was or choose another model; add it again if it was exported anew':
    'den Ordner wieder hinlegen, wie er war, oder ein anderes Modell wählen; wurde er neu exportiert, noch einmal hinzufügen',
  'put it back, or remove it from the list of models': 'zurücklegen oder aus der Liste der Modelle nehmen',
  'reload the window': 'das Fenster neu laden',
  'save it as 8-bit RGB in the program that made it': 'im Ursprungsprogramm als RGB mit 8 Bit sichern',
  'save it in another folder': 'in einem anderen Ordner sichern',
  'save or export it now': 'jetzt sichern oder exportieren',
  'show the segment, or draw it larger': 'das Segment einblenden oder größer zeichnen',
  'show the segment, then redo it': 'das Segment einblenden, dann neu erzeugen',
  'start the newer release, or choose another data folder':
    'die neuere Ausgabe starten oder einen anderen Datenordner wählen',
  'start the studio again': 'das Studio neu starten',
  'the download may be incomplete: get the file again': 'der Download ist wohl unvollständig: die Datei neu laden',
  'try again': 'noch einmal versuchen',
  'update the studio, or get an older version of the pack':
    'das Studio aktualisieren oder eine ältere Fassung des Modells holen',
  'use a PNG, JPEG or WebP file': 'eine PNG-, JPEG- oder WebP-Datei verwenden',
};

/** What a file format leaves out, and what an import could not read. */
export const LOSSES: Readonly<Record<string, string>> = {
  'undo steps stay in the studio; a project file keeps them':
    'Rückgängig-Schritte bleiben im Studio; eine Projektdatei behält sie',
  'the picture is compressed with losses; a PNG keeps every pixel':
    'das Bild wird mit Verlusten komprimiert; ein PNG behält jedes Pixel',
  'texts, dials and exact shapes are for the studio only; other programs see names and areas':
    'Texte, Regler und genaue Formen sind nur für das Studio; andere Programme sehen Namen und Flächen',
  'groups are not folders in the file': 'Gruppen sind in der Datei keine Ordner',
  'programs that save OpenRaster drop what they do not know, the scene included':
    'Programme, die OpenRaster sichern, verwerfen, was sie nicht kennen, auch die Szene',
  'soft edges become hard outlines in other programs': 'weiche Kanten werden in anderen Programmen zu harten Umrissen',
  'segments filled by pictures have only their outline in other programs':
    'mit Bildern gefüllte Segmente haben in anderen Programmen nur ihren Umriss',
  'groups are not groups in the file': 'Gruppen sind in der Datei keine Gruppen',
  'the start picture is for the studio only': 'das Startbild ist nur für das Studio',
  'an array has no texts, dials or shapes: names and labels are in the .json beside it':
    'ein Array hat keine Texte, Regler oder Formen: Namen und Nummern stehen im .json daneben',
  'soft edges become hard at the resolution of the map': 'weiche Kanten werden hart, in der Auflösung der Karte',
  'hidden segments are not in the map': 'ausgeblendete Segmente sind nicht in der Karte',
  'a contact sheet is a picture of pictures; scenes do not travel in it':
    'ein Kontaktbogen ist ein Bild aus Bildern; Szenen reisen darin nicht mit',
  'no model pack filled the slots: the array holds segment numbers instead of embeddings':
    'kein Modell hat die Segmente gefüllt: das Array enthält Nummern statt Einbettungen',
  'the scene is too large for the metadata of a JPEG and is not in the file; WebP and PNG have room':
    'die Szene ist zu groß für die Metadaten eines JPEG und fehlt in der Datei; WebP und PNG haben Platz',
  'the results inside come along only when the project is opened':
    'die Ergebnisse darin kommen nur mit, wenn das Projekt geöffnet wird',
  'the scene inside could not be read ({}); only the layers were taken':
    'die Szene darin war nicht lesbar ({1}); nur die Ebenen wurden übernommen',
  '{} layers beyond {} were left out': '{1} Ebenen über {2} hinaus wurden weggelassen',
  'the layer “{}” covers everything and is no segment': 'die Ebene „{1}“ bedeckt alles und ist kein Segment',
  '“{}” was changed in another program: its area is now a bitmap':
    '„{1}“ wurde in einem anderen Programm geändert: die Fläche ist jetzt ein Pixelbild',
  'the {} smallest areas beyond {} were left out': 'die {1} kleinsten Flächen über {2} hinaus wurden weggelassen',
  'the layers are the segments as they are now; the picture shows another state of them':
    'die Ebenen sind die Segmente, wie sie jetzt sind; das Bild zeigt einen anderen Stand',
  'the file has {} images; {} was taken': 'die Datei hat {1} Bilder; {2} wurde genommen',
  'black stays undrawn; its text “{}” is not used': 'Schwarz bleibt leer; der Text „{1}“ dazu wird nicht verwendet',
  'no part of the picture has the colour {} (“{}”)': 'kein Teil des Bildes hat die Farbe {1} („{2}“)',
};
