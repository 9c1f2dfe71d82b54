//! The words: groups, judgements, and what says that a judgement is somebody else's.

use super::Category::{self, Age, Class, Disability, Gender, Nationality, Orientation, Race, Religion};

/// No name of a group is longer.
pub(super) const LONGEST: usize = 40;

#[rustfmt::skip]
pub(super) static GROUPS: &[(Category, &[&str])] = &[
    (Age, &["old people", "elderly people", "the elderly", "seniors", "older workers", "older people", "boomers", "millennials",
        "teenagers", "young people", "younger people", "gen z", "old folks", "older employees", "people over 50", "people over 60",
        "anyone over 50", "anyone over 40", "people over 40", "old men", "old women"]),
    (Class, &["poor people", "the poor", "homeless people", "the homeless", "the unemployed", "unemployed people", "welfare recipients",
        "people on welfare", "working class people", "rich people", "blue-collar workers"]),
    (Disability, &["disabled people", "the disabled", "people with disabilities", "blind people", "deaf people", "autistic people",
        "people with autism", "autistics", "wheelchair users", "mentally ill people", "the mentally ill", "people with depression",
        "people with schizophrenia", "handicapped people", "disabled employees", "people with mental illness"]),
    (Gender, &["women", "woman", "a woman", "girls", "females", "men", "a man", "boys", "males", "mothers", "housewives", "female engineers",
        "female drivers", "women drivers", "female bosses", "trans people", "trans women", "trans men", "transgender people",
        "nonbinary people", "non-binary people", "feminists", "single mothers", "working mothers"]),
    (Nationality, &["immigrants", "migrants", "foreigners", "refugees", "asylum seekers", "mexicans", "chinese people", "indians", "americans",
        "russians", "poles", "germans", "the french", "italians", "nigerians", "turks", "syrians", "pakistanis", "romanians", "the chinese",
        "the japanese", "the irish", "the english", "illegal aliens", "people from africa", "colombians", "indian people",
        "russian people", "polish people", "non-native speakers"]),
    (Orientation, &["gay people", "gays", "lesbians", "homosexuals", "bisexuals", "bisexual people", "gay men", "queer people", "lgbt people",
        "lgbtq people", "gay couples", "same-sex couples"]),
    (Race, &["black people", "blacks", "white people", "whites", "asians", "asian people", "african americans", "hispanics", "latinos",
        "native americans", "gypsies", "roma people", "arabs", "people of color", "black men", "black women", "white men", "white women",
        "asian women", "asian men", "indigenous people", "minorities", "brown people", "latinas"]),
    (Religion, &["muslims", "christians", "jews", "jewish people", "hindus", "catholics", "atheists", "buddhists", "mormons", "sikhs",
        "evangelicals", "muslim people", "protestants", "the jews", "religious people"]),
];

/// Judgements, and whether one that is denied is still one (*aren't capable*).
#[rustfmt::skip]
pub(super) static JUDGEMENTS: &[(&str, bool)] = &[
    ("lazy", false), ("stupid", false), ("dumb", false), ("inferior", false), ("superior", false), ("criminals", false), ("criminal", false),
    ("terrorists", false), ("violent", false), ("dangerous", false), ("dirty", false), ("greedy", false), ("cheap", false), ("ignorant", false),
    ("uneducated", false), ("too emotional", false), ("emotional", false), ("hysterical", false), ("irrational", false), ("weak", false),
    ("weaker", false), ("a burden", false), ("burden", false), ("useless", false), ("worthless", false), ("subhuman", false),
    ("animals", false), ("savages", false), ("parasites", false), ("vermin", false), ("thieves", false), ("liars", false), ("dishonest", false),
    ("untrustworthy", false), ("sinful", false), ("immoral", false), ("perverts", false), ("unnatural", false), ("abnormal", false),
    ("disgusting", false), ("crazy", false), ("incompetent", false), ("incapable", false), ("less intelligent", false), ("less capable", false),
    ("less rational", false), ("less qualified", false), ("less competent", false), ("less reliable", false), ("bad at", false),
    ("terrible at", false), ("not good at", true), ("good at math", true), ("better at", false), ("better leaders", false),
    ("better suited", false), ("not suited", true), ("unsuited", false), ("unfit", false), ("not fit", true), ("too old", false),
    ("too slow", false), ("slow", false), ("out of touch", false), ("learn new", true), ("handle technology", true), ("use computers", true),
    ("drive", true), ("lead", true), ("leaders", true), ("be trusted", true), ("trustworthy", true), ("make decisions", true), ("in the kitchen", false),
    ("at home", false), ("stay home", false), ("raise children", false), ("in jail", false), ("in prison", false), ("go back to", false),
    ("be deported", false), ("be banned", false), ("be allowed", true), ("have rights", true), ("the same rights", true), ("vote", true),
    ("adopt children", true), ("marry", true), ("be near children", true), ("work hard", true), ("want to work", true), ("assimilate", true),
    ("steal our", false), ("steal jobs", false), ("take our jobs", false), ("commit crimes", false), ("commit more crimes", false),
    ("control the", false), ("ruin", false), ("destroying", false), ("taking over", false), ("drunks", false), ("alcoholics", false),
    ("drug dealers", false), ("gold diggers", false), ("nurturing", false), ("naturally better", false), ("naturally more", false),
    ("naturally less", false), ("obedient", false), ("submissive", false), ("smell", false), ("capable of", true), ("intelligent enough", true),
    ("strong enough", true), ("smart enough", true), ("normal", true), ("real men", true), ("real women", true), ("entitled", false),
    ("all the same", false), ("rapists", false), ("predators", false), ("mentally ill", false), ("sick in the head", false), ("doomed", false),
];

/// What says that a judgement is somebody else's, is asked about, or is wrong.
#[rustfmt::skip]
pub(super) static REPORTS: &[&str] = &[
    "stereotype", "myth", "prejudice", "misconception", "it is not true", "it's not true", "it is wrong", "it's wrong", "it is false", "falsely",
    "wrongly", "the claim", "claims that", "claim that", "claimed that", "the idea that", "the belief", "believe that", "believed that", "said that",
    "says that", "argue that", "argued that", "accused", "assumption", "assume", "discriminat", "bias", "racist", "sexist", "debunk", "evidence",
    "study", "studies", "statistic", "percent", "per cent", " if ", "whether", "some people think", "some say", "do you think", "why do",
    "according to", "in this story", "in the novel", "offensive", "harmful to", "equally", "just as", "as likely", "not because", "treated as",
    "portrayed", "depicted", "perceived", "considered", "seen as", "labeled", "called", "victims", "at risk", "some ", "many ", "fewer ",
];
