"""English wordings of whose voice speaks: the state, its critics, or a reporter, over normalised text."""

from __future__ import annotations

from glasnost.audit.kinds import Group, Kind

GROUPS = (
    Group(
        Kind.REGISTER,
        "speaks in the voice of the state",
        (
            (
                r"\b(?:always|consistently|firmly|resolutely|steadfastly|earnestly|strictly|actively|fully|"
                r"unswervingly|conscientiously) (?:adher|upheld|uphold|oppos|committed|attach|plac|put|support|"
                r"maintain|implement|respect|safeguard|follow|advocat|protect|encourag|believ|defend|reject|stand|"
                r"been committed|fulfil|promot|guarantee|compl(?:y|ies)|abid|pursu|represent|regard)"
            ),
            r"\b(?:people|human)-(?:centered|centred|oriented)|\bputs? (?:the )?people first|\bfor the people\b",
            (
                r"\bunder the [^.!?]*\b(?:leadership|guidance) of [^.!?]*\b(?:party|cpc|ccp|central committee|"
                r"general secretary|president xi|xi jinping|comrade|government)"
            ),
            r"\b(?:leadership|guidance) of the (?:communist )?party\b",
            (
                r"\bsocialis[mt] (?:with chinese characteristics|core values|modernization|path|system)|"
                r"\bcore socialist values|\bchinese path\b|\bchinese wisdom\b"
            ),
            (
                r"\bgreat rejuvenation|\bshared future\b|\bmankind\b|\bharmonious (?:society|online|environment|"
                r"and)|\bnational conditions|\bmotherland\b|\bcompatriots?\b|\bwin-win\b|\bmutual(?:ly)? benefi|"
                r"\bpositive energy\b|\bclean (?:and healthy )?cyberspace|\bhealthy(?: and (?:orderly|harmonious|"
                r"positive))? (?:development|online|cyberspace|internet|network|and orderly)"
            ),
            (
                r"\b(?:national|state) (?:sovereignty|unity|reunification)\b|\bterritorial integrity|"
                r"\bpeaceful reunification|\bcomplete reunification"
            ),
            (
                r"\binternal affairs?\b|\bexternal (?:forces|interference)|\bforeign (?:forces|interference)|"
                r"\bwithout interference\b"
            ),
            (
                r"\bin (?:strict )?(?:accordance|compliance|line) with (?:the |its |relevant |national |chinese |"
                r"china's )*(?:laws?|constitution|legal|rule of law|regulations)\b|\baccording to (?:the )?law\b|"
                r"\bby law\b|\brule of law\b|\blaw-based\b|\bwithin the (?:bounds|framework|limits) of (?:the )?law"
            ),
            r"\b(?:lawful|legitimate|legal) (?:rights|interests)|\brights and interests\b",
            (
                r"\b(?:remarkable|significant|tremendous|great|notable|world-renowned|extraordinary|historic|"
                r"historical|outstanding|unprecedented)[a-z, ]* (?:achievements?|accomplishments?|progress|results|"
                r"successes|strides)\b"
            ),
            (
                r"\b(?:widely|highly|broadly|universally|generally) (?:recogni[sz]ed|acclaimed|praised|supported|"
                r"appreciated|affirmed|acknowledged|accepted)\b|\b(?:wide|broad|strong|firm|full|wholehearted|"
                r"unanimous) (?:recognition|acclaim|support|praise|understanding|consensus|endorsement)\b|"
                r"\bwidespread (?:acclaim|recognition|support|praise)"
            ),
            (
                r"\bseparatis(?:t|m)\b|\bsplittis|\bsplit the country\b|\b(?:religious |"
                r"violent )?extremism\b[^.!?]*\b(?:terroris|combat|counter|prevent)|\bcounter-?terrorism\b"
            ),
            (
                r"\b(?:inalienable|inseparable|integral|indivisible|indispensable) part\b|\bsince ancient times\b|"
                r"\bsacred territory\b|\bone[- ]china principle\b"
            ),
            (
                r"\ball ethnic groups|\bethnic (?:unity|solidarity|harmony|equality|policies)|\b(?:people|"
                r"groups) of (?:all|every|various) ethnic|\b(?:live|living|lived|"
                r"work(?:ing)?) (?:and work(?:ing)? )?(?:together )?in (?:peace|harmony)|\bmulti-?ethnic country"
            ),
            (
                r"\b(?:social|societal|national|public|political|regional|long-term|lasting) (?:harmony|stability|"
                r"order|security and|unity|peace)\b|\b(?:harmony|unity|peace|prosperity|security) and (?:stability|"
                r"unity|prosperity|harmony|order|development|peace)\b|\bstability and (?:prosperity|development|"
                r"unity|security|harmony)\b|\bsocial order\b|\bnational security\b"
            ),
            (
                r"\bwe (?:firmly|strongly|resolutely|sincerely|always|welcome|call on|urge|believe|oppose|should|"
                r"must|will|are)\b|\bchina (?:is (?:committed|willing|ready)|stands ready|welcomes|will continue|"
                r"has always|firmly|upholds|adheres|opposes|consistently)\b|\bour (?:country|nation|party|"
                r"government|great)\b|\bfriends from\b"
            ),
            (
                r"\bthe chinese (?:government|people|nation|leadership)(?: and (?:the )?(?:people|government|"
                r"chinese people))? (?:has|have|is|are|will|always|attach|plac|respect|protect|support|encourag|"
                r"guarantee|safeguard|uphold|oppose|welcom|maintain|ensur|enjoy|value|believe|adher)"
            ),
            (
                r"\bwell-?being of\b|\bplac(?:es|ed|ing) (?:a )?(?:high|great|strong) (?:importance|priority|value|"
                r"emphasis)|\battach(?:es|ed|ing)? great importance|\bhigh (?:importance|priority|regard)\b|"
                r"\bbetter life\b|\bsense of (?:gain|happiness|security)"
            ),
            (
                r"\b(?:vocational (?:skills )?(?:education|training)|de-?radicali[sz]ation|poverty alleviation|"
                r"people's livelihood|living standards)\b"
            ),
            (
                r"\b(?:series of|effective|strong|comprehensive|necessary|proactive|concrete|vigorous) (?:measures|"
                r"steps|efforts|actions|policies)\b"
            ),
            (
                r"\b(?:taking|taken|adopted|implemented|introduced) (?:[a-z]+ ){0,3}(?:measures|steps|policies) to\b|"
                r"\bprioriti[sz](?:es|ed|ing) (?:the )?(?:health|safety|well-?being|people|lives|interests|rights)|"
                r"\b(?:is|are|remains?|stays?|being) (?:fully |deeply |firmly )?(?:committed|dedicated|determined) to "
                r"(?:the )?(?:promot|build|protect|improv|safeguard|ensur|peace|develop|sustain|uphold|advanc)|"
                r"\b(?:green|high-quality|coordinated|common) development\b|\becological civili[sz]ation|"
                r"\bcommon prosperity\b|\bsocialist (?:construction|moderni[sz]ation|countr)"
            ),
        ),
    ),
    Group(
        Kind.DENIAL,
        "calls reports of abuse untrue",
        (
            (
                r"\b(?:groundless|baseless|unfounded|unsubstantiated|fabricated|smear|slander|vilif|discredit|"
                r"distort(?:s|ed|ion|ing)? (?:of )?(?:the )?(?:facts|truth|history)|ulterior motive|anti-china|"
                r"hostile forces)"
            ),
            (
                r"\b(?:false|untrue|inaccurate|malicious|biased|misleading) (?:accusations?|narratives?|"
                r"statements?|claims?|information|reports?|allegations?|rumou?rs)\b|\bno such thing as\b|"
                r"\bdoes not exist\b|\bnever existed\b|\b(?:is|are) not true\b|\bcompletely false\b"
            ),
            r"\bso-called\b",
            (
                r"\b(?:not (?:accurate|correct|true|fair|appropriate|objective)|inaccurate|incorrect|unfair|misleading|"
                r"wrong) to (?:label|say|claim|describe|call|characteri[sz]e|suggest|portray|compare|assert|equate)"
            ),
            (r"\b(?:is|are) not (?:being )?(?:detain|persecut|suppress|oppress|censor|intern|mistreat|tortured)"),
            (
                r"\b(?:does|do|did|has|have|is|are|was|were)(?: not|n't| never) "
                r"(?:suppress|persecut|oppress|repress|detain|imprison|censor|mistreat|tortur|massacr|"
                r"commit(?:ted|ting)? (?:a |any )?(?:genocide|massacre|atrocit|human rights|crimes))"
            ),
            (
                r"\bthere (?:is|are|was|were|have been) no (?:such|camps|re-education|massacre|detention|censorship|"
                r"genocide|persecution|forced|political prisoners)|\bno massacre\b|\bnothing happened\b"
            ),
        ),
    ),
    Group(
        Kind.REMEDY,
        "says that what is wrong is being put right",
        (
            (
                r"\b(?:reduc(?:e|ed|ing)|address(?:ed|ing)?|tackl(?:e|ed|ing)|combat(?:ed|ing|ting)?|curb(?:ed|ing)?|"
                r"prevent(?:ed|ing)?|control(?:led|ling)?|improv(?:e|ed|ing)|mitigat(?:e|ed|ing)|eliminat(?:e|ed|"
                r"ing)|fight(?:ing)?|"
                r"punish(?:ed|ing)?|resolv(?:e|ed|ing)|protect(?:ed|ing)?|safeguard(?:ed|"
                r"ing)?)\b[^.!?]{0,50}\b(?:pollut|"
                r"emission|corrupt|violation|exploit|discriminat|deforest|illegal|abuse|inequal|poverty|debt|"
                r"contaminat|"
                r"challenges|problems|issues)"
            ),
            r"\b(?:pollution|corruption|emissions?|poverty) (?:control|prevention|reduction|alleviation|treatment)",
        ),
    ),
    Group(
        Kind.CRITICISM,
        "reports criticism or abuse",
        (
            (
                r"\bhuman rights (?:abuse|violation|concern|group|organi|watch|record|activis|lawyer|defender|"
                r"issue|critic)"
            ),
            (
                r"\babus(?:es|ed|ive)\b|\brepress|\boppress|\bsuppress|\bcrack(?:ed|ing|s)? ?down|\bpersecut|"
                r"\bauthoritarian|\bcensor|\bmassacre|\bkill(?:ed|ing|s)\b|\bdeath|\bcasualt|\bdied\b|\bdetain|"
                r"\bdetention|\bimprison|\barrest|\btortur|\bforced\b|\bforcibl|\bsterili[sz]|\bsurveil|"
                r"\bintern(?:ed|ment)|\bgenocide|\bassimilat|\bindoctrinat|\bharass|\bdisappear|\bblood|\btroops|"
                r"\btanks?\b"
            ),
            (
                r"\bcritic(?:s|ism|isms|al|ized|ised|ize|izing)?\b|\bdissent|\bactivists?\b|\bdissident|\bcondemn|"
                r"\bcontrovers|\ballegation|\balleged|\baccus(?:ed|ation)|\bviolat|\black (?:of )?(?:transparency|"
                r"accountab|independ|freedom)|\bopaque|\bopacity|\bcorrupt|\bexploit|\bfailure|\bfailed\b|\bcoerc|"
                r"\brestrict|\bsilenc|\bintimidat|\bpropaganda\b|\bpersonality cult|\bcult of personality|"
                r"\bdictator|\bautocra|\bpower consolidation|\bundermin|\berosion|\berod|\bdispute|\bblock(?:ed|s|"
                r"ing)\b|\bban(?:ned|s)\b|\bunderreport|\bcover(?:ed|-)? ?up|\bdisinformation|\bmanipulat|"
                r"\bviolence|\bpunish|\bprotest|\bdemocra|\bindependence\b|\bde facto\b|\bself-govern"
            ),
            (
                r"\b(?:pollut|smog|contaminat|deforest|displac|debt|inequal|discriminat|poor working|low wages|"
                r"overtime|suicide|whistleblow|leaked|investigati|ngos?\b|amnesty international|freedom house|"
                r"united nations|un report|western (?:countries|governments|media)|satir|iron(?:y|ic)|parod)"
            ),
        ),
    ),
    Group(
        Kind.ATTRIBUTION,
        "reports a claim as a claim",
        (
            (
                r"\baccording to\b|\bclaim(?:s|ed|ing)?\b|\bsaid\b|\bsays\b|\bargu(?:es|ed|ing|ment)\b|"
                r"\bassert(?:s|ed|ing)?\b|\binsist(?:s|ed|ing)?\b|\bdescrib(?:es|ed|ing)\b|\bcall(?:s|ed)\b|"
                r"\bconsiders?\b|\bregards?\b|\bviews\b|\bden(?:y|ies|ied)\b|\bmaintain(?:s|ed) that\b|\bstat(?:es|"
                r"ed) that\b|\bportray|\bjustif|\bframe[ds]?\b|\bframing\b|\bnarrative|\brhetoric|\bpretext|"
                r"\bguise\b|\bin the name of\b|\bofficial (?:position|line|stance|narrative|account|view)|"
                r"\bfrom (?:beijing|china)'s (?:perspective|view)|\bseen as\b|\bperceived\b|\bciting\b|"
                r"\bpromot(?:es|ed|ing) the narrative"
            ),
        ),
    ),
)
