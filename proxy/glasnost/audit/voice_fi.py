"""Finnish wordings of whose voice speaks: the state, its critics, or a reporter, over normalised text (ä reads a)."""

from __future__ import annotations

from glasnost.audit.kinds import Group, Kind

GROUPS = (
    Group(
        Kind.REGISTER,
        "speaks in the voice of the state",
        (
            (
                r"\b(?:aina|johdonmukaisesti|lujasti|paattavaisesti|jarkahtamatta|tinkimattomasti|aktiivisesti|"
                r"jatkuvasti|taysin) (?:noudat|pitan|pitay|aset|sitoutu|kunnioit|suojel|vastust|tuke|kannat|edist|"
                r"puolust|huolehti|pyrki|ollut|parant|korost|vahvist|kehitt)"
            ),
            (
                r"\bihmis(?:lahtoi|keskei)|\bkansalahtoi|\bkansan etu|\bihmiset etusija|\bihmisten hyvinvointi(?:a|"
                r"in)? etusija"
            ),
            (
                r"\b(?:puolueen|keskuskomitean|jinpingin|hallituksen|paasihteeri\w*|presidentti\w*)[^.!?]{0,40}"
                r"\b(?:johdolla|johdossa|johtajuudella|ohjauksessa)|\bviisa(?:alla|an|iden|ita)\b"
            ),
            (
                r"\bsosialis(?:mi|ti)[a-z]*[^.!?]{0,30}\b(?:ominaispiirte|arvo|modernis|jarjestelm|yhteiskun|"
                r"rakentam|tie)|"
                r"\bkiinalaispiirtei|\bkiinalaisin ominaispiirte|\bkiinalaisia ominaispiirte|\bkiinalai[a-z]+ viisau"
            ),
            (
                r"\b(?:uudestisyntymi|kansallinen uudist|kansallise[a-z]+ uudist|nuorentumi|kansakunnan elpymi)|"
                r"\byhtei[a-z]+ tulevaisuu|\bharmoni(?:se|nen|sta|sen)|\bisanma|\bmaanmie|\bpositiivi[a-z]+ energi|"
                r"\bterve(?:elli[a-z]+|ta|en|tta)?,?[^.!?]{0,25} (?:verkko|kyber|internet)|\bmolempia osapuolia hyody"
            ),
            (
                r"\b(?:kansalli|valtiolli)[a-z]+ (?:suvereni|yhtenaisyy|itsemaaraami)|\balueelli[a-z]+ "
                r"(?:koskemattomuu|yhtenaisyy)|\bsuvereniteet|\brauhanomai[a-z]+ (?:yhdist|jalleenyhdist)|"
                r"\bjalleenyhdist"
            ),
            r"\bsisai[a-z]+ asia|\bulko(?:puoli|mai)[a-z]+ (?:voim|sekaantu|puuttu)|\bsekaantu",
            (
                r"\b(?:lain|lakien|perustuslain|asetusten|lainsaadannon)(?: ja [a-z]+)? (?:mukai|puitteissa|"
                r"perusteella)|"
                r"\blaillisesti\b|\boikeusvaltio"
            ),
            r"\blailli[a-z]+ (?:oikeu|etu)|\boikeu[a-z]+ ja (?:etu|etuj)",
            (
                r"\b(?:merkittav|huomattav|valtav|suur|historialli|ennennakematto|vaikuttav)[a-z]* (?:saavutu|edisty|"
                r"edistys|ponnistelu|menesty|tuloks)|\bsaavuttan[a-z]+ (?:merkittav|huomattav|suur|valtav)"
            ),
            (
                r"\blaaj(?:a|aa|an|alti|asti) (?:tunnust|tuettu|arvost|tuke|tuki|kannatu|yhteisymmar|hyvaksyt)|"
                r"\bkansan (?:tuk|luottamu|rakkau|laaj)"
            ),
            r"\bseparatis|\bekstremis|\baarilii|\bterrorismin (?:vast|torju|ehkai)",
            r"\b(?:erottamat|jakamat|luovuttamat|kiintea)[a-z]* osa|\bmuinai[a-z]+ ajoista|\byhden kiinan peri",
            r"\bkaik[a-z]+ etni|\betni[a-z]+ (?:yhtenaisyy|tasa-arvo|harmoni|sopu)|\bmonietni|\bkaik[a-z]+ kansallisuu",
            (
                r"\b(?:yhteiskunnalli|sosiaali|poliitti|kansalli|yhteiskunna|aluee|pitkaaikai)[a-z]+ (?:vakau|vakaa|"
                r"harmoni|jarjesty|yhtenaisyy|rauha|turvallisuu|sopu)|\bvakau[a-z]+ (?:ja|seka) (?:vaura|kehit|turval|"
                r"hyvinv|rauha|jarjes|harmon)|\b(?:kansallista|valtion) turvallisuu"
            ),
            (
                r"\b(?:uskomme|vastustamme|kannatamme|kehotamme|kunnioitamme|rakastamme|tuemme|toivotamme|kannustamme|"
                r"olemme|noudatamme|jatkamme)\b|\b(?:maamme|kansamme|kansalaisemme|kansalaistemme|puolueemme|"
                r"hallituksemme)\b"
            ),
            (
                r"\bkiina (?:on|ovat) (?:sitoutun|aina|aktiivi|valmis|jatkuva|johdonm|tehnyt (?:merk|suur|huom|paljon)|"
                r"vakaasti|lujasti)|\bkiina (?:vastustaa|kannattaa|jatkaa|noudattaa|edistaa|kunnioittaa|suojelee)\b"
            ),
            (
                r"\bkiinan (?:hallitus|hallinto|kansa|kommunistinen puolue|johto|viranomaiset)(?: ja [a-z ]{0,40})? "
                r"(?:on|ovat) (?:aina|sitoutun|tehn|toteut|aset|pitan|jatkuva|johdonm|aktiivi|kiinnit|edist|saavut|"
                r"toimin|ollut|panost)|\bkiinan (?:hallitus|hallinto|kansa|kommunistinen puolue) (?:kunnioittaa|"
                r"suojelee|"
                r"tukee|takaa|turvaa|pitaa|jatkaa|edistaa|kannustaa|vastustaa|noudattaa|varmistaa)\b"
            ),
            (
                r"\bhyvinvoin[a-z]+ (?:parant|edist|turva|lisa)|\b(?:suurta|suuren|erityista) (?:merkity|huomio|arvoa)|"
                r"\betusijal|\belino[a-z]+ parant|\bparem(?:paa|man) elama|\bonnellisuu|\bvaurau[a-z]+ (?:ja|seka)\b"
            ),
            r"\bderadikalis|\bkoyhyyden (?:vahen|poist|lievit|torj)|\bkansan hyvinvoi|\bkansalaisten hyvinvoi",
            (
                r"\b(?:sarja[a-z]*|tehokka|konkreetti|tarpeelli|kattav|"
                r"paattavai)[a-z]* (?:tehokka[a-z]* )?(?:toimi|toimen|"
                r"tuloks|politiik|askel)"
            ),
        ),
    ),
    Group(
        Kind.DENIAL,
        "calls reports of abuse untrue",
        (
            (
                r"\b(?:perusteet(?:on|tom|ta|toma)|pohjaa vailla|vailla pohjaa|valheelli|vaaristel|mustamaala|panettel|"
                r"tekaist|vihamieli[a-z]+ voim|taka-ajatu|kiinavastai|kiinan vastai[a-z]+ voim)"
            ),
            r"\b(?:ei|eivat) (?:vastaa (?:todellisuu|totuu|tosias)|pida paikkaan|perustu (?:tosias|fakt|totuu))",
            r"\b(?:vaar|virheelli|harhaanjohtav)[a-z]+ (?:tieto|vait|syyt|uuti|kasity)",
            r"\bkiinassa ei ole\b|\bei ole olemassa (?:mitaan|sellais)|\bei ole koskaan (?:sorta|vaino|tukahd|pidat)",
        ),
    ),
    Group(
        Kind.REMEDY,
        "says that what is wrong is being put right",
        (
            (
                r"\b(?:vahenta|parant|torju|ehkais|puuttu|ratkais|estaa|estami|suojel|poista|kitke|hillit|lievit|"
                r"tasoitta)[a-z]*"
                r"[^.!?]{0,40}\b(?:saast|paasto|korrupt|hyvaksikay|syrji|epatasa|eriarv|koyhyy|velk|ongelm|haast|"
                r"laitto|tyoolo)"
            ),
        ),
    ),
    Group(
        Kind.CRITICISM,
        "reports criticism or abuse",
        (
            (
                r"ihmisoikeu(?:srik|slouk|sjarj|saktiv|sjuri|stilan|spuol|songel|skys)|loukkauk|\bsor(?:to|ta|re|ron)|"
                r"tukahdu|\bvaino|\bkidut|pakko(?:tyo|ster|lait|kei|siir|assim)|mielivalt|\bvangi|vankil|"
                r"\bpidat(?:y|et)|"
                r"\binternoi|\bleiri|leire|leirill|sensuur|sensur|sensoi|valvonta|valvoo|vakoil|propagan|autoritaa|"
                r"totalita|diktat|itsevalt|kansanmur|joukkomur|verilo|\bverise|\btape|\btapp|\bsurm|kuolem|"
                r"\bkuol(?:i|l)|"
                r"\buhri|katoami|\bkato(?:si|nei)|pelot|uhkail|rangais|rangaist|kiello|\bkielle|\bkiell|\besto|"
                r"\bestet|rajoit"
            ),
            (
                r"kriti|\barvost(?:el|ell)|\btuomi[nt]|syytet|syytok|kiistel|vastari|toisinajat|mielenoso|protest|"
                r"korrupt|"
                r"\blahj|vaarinkay|hyvaksikay|\briist|saast|saastu|ymparistotuh|\bvelka|velko|epatasa-ar|eriarv|syrji|"
                r"epaonnis|lapinakymat|lapinakyvyyden puut|vaient|vaiken|hiljen|aivope|indoktr|assimilo|demokrat|"
                r"sananvapa|aktivist|yhdistyneet kansak|\byk:n|amnesty|human rights watch|satiir|ironi|parodi|pilk|"
                r"salail|"
                r"peitel|manipul|disinformaat|henkilokult|\bpuhdistu"
            ),
        ),
    ),
    Group(
        Kind.ATTRIBUTION,
        "reports a claim as a claim",
        (
            (
                r"\b(?:kriitik|raport|tutki|jarjesto|lahte|lahde|arvio|viranomai|asiantunt|todista|aktivist|media|"
                r"hallituksen|pekingin|puolueen|watch)[a-z]* mukaan\b|\bvait(?:t|et|os)|\bsano(?:o|i|vat|taan|nut|"
                r"ivat)\b|"
                r"\btote(?:aa|avat|si)\b|\bkuvai(?:l|lt)|\bkutsu(?:u|vat|taan|nut)\b|\bviralli[a-z]+ (?:kan|nake|linj|"
                r"narra|tari|versio|seli)|\bnarratiiv|\bretorii|\btekosyy|\bvarjolla|\bnimissa\b|\bperustel(?:ee|"
                r"tu|lut|e)|"
                r"\boikeut(?:taa|tavat|us)\b|\bkiist(?:aa|avat|anyt)\b|\bnahdaan\b|\bkriitikot|\bpeitenimi|\besittaa "
                r"(?:itse|nama|sen)|\bniin sano|\bniin kutsu"
            ),
        ),
    ),
)
