//! The words of refusals.

/// No opening is longer.
pub(super) const LONGEST: usize = 96;

/// Openings, which a thing must follow, and how sure they are with one. Apostrophes come straight and typographic.
#[rustfmt::skip]
pub(super) static OPENINGS: &[(&str, f32)] = &[
    ("i can't", 0.8), ("i can\u{2019}t", 0.8), ("i cannot", 0.8), ("i can not", 0.8), ("i am unable to", 0.85), ("i'm unable to", 0.85),
    ("i\u{2019}m unable to", 0.85), ("i am not able to", 0.8), ("i'm not able to", 0.8), ("i\u{2019}m not able to", 0.8),
    ("i won't", 0.75), ("i won\u{2019}t", 0.75), ("i will not", 0.75), ("i must decline", 0.85), ("i have to decline", 0.85),
    ("i'm going to decline", 0.85), ("i must refuse", 0.85), ("i refuse to", 0.7), ("i decline to", 0.8), ("i'd rather not", 0.65),
    ("i am not comfortable", 0.8), ("i'm not comfortable", 0.8), ("i\u{2019}m not comfortable", 0.8), ("i don't feel comfortable", 0.75),
    ("i am not programmed to", 0.8), ("i'm not programmed to", 0.8), ("i am not allowed to", 0.75), ("i'm not allowed to", 0.75),
    ("i'm not permitted to", 0.75), ("i am not permitted to", 0.75), ("i'm prohibited from", 0.8), ("i am prohibited from", 0.8),
    ("i do not have the ability to", 0.7), ("i don't have the ability to", 0.7),
    ("it would be inappropriate for me to", 0.85), ("it is not appropriate for me to", 0.85), ("it wouldn't be appropriate for me to", 0.85),
    // Spanish, Portuguese, Italian, French.
    ("no puedo", 0.7), ("no me es posible", 0.75), ("lo siento, pero no", 0.75), ("me temo que no puedo", 0.8),
    ("n\u{e3}o posso", 0.7), ("n\u{e3}o consigo", 0.65), ("desculpe, mas n\u{e3}o", 0.75), ("lamento, mas n\u{e3}o", 0.75),
    ("non posso", 0.7), ("mi dispiace, ma non", 0.75), ("non sono in grado di", 0.75),
    ("je ne peux pas", 0.7), ("je ne suis pas en mesure de", 0.8), ("je suis d\u{e9}sol\u{e9}, mais je ne", 0.75), ("je d\u{e9}sol\u{e9}, mais", 0.7),
    // German, Dutch, Swedish, Polish, Turkish.
    ("ich kann", 0.65), ("dabei kann ich", 0.75), ("das kann ich", 0.6), ("es tut mir leid, aber ich", 0.75), ("ik kan", 0.65),
    ("het spijt me, maar ik", 0.75), ("jag kan inte", 0.7), ("jeg kan ikke", 0.7), ("nie mog\u{119}", 0.7), ("nie jestem w stanie", 0.75),
    ("\u{fc}zg\u{fc}n\u{fc}m, ancak", 0.7), ("\u{fc}zg\u{fc}n\u{fc}m, bu", 0.7),
    // Russian, Ukrainian.
    ("я не могу", 0.7), ("к сожалению, я не", 0.75), ("я не можу", 0.7),
];

/// What is a refusal by itself: the place of its rule.
#[rustfmt::skip]
pub(super) static ALONE: &[(&str, usize)] = &[
    ("as an ai language model", 1), ("as a large language model", 1), ("as an ai assistant, i can", 1), ("as an ai, i can", 1),
    ("as an ai model, i can", 1), ("i'm just an ai", 1), ("i am just an ai", 1), ("i'm only an ai", 1), ("como modelo de lenguaje", 1),
    ("als ki-sprachmodell", 1), ("en tant que mod\u{e8}le de langage", 1), ("en tant qu'ia, je ne", 1), ("como um modelo de linguagem", 1),
    ("in quanto modello linguistico", 1), ("как языковая модель", 1), ("als ki kann ich", 1),
    ("against my guidelines", 2), ("against my programming", 2), ("violates my guidelines", 2), ("goes against my", 2),
    ("against my ethical guidelines", 2), ("my guidelines prevent me", 2), ("my guidelines don't allow", 2), ("against openai's", 2),
    ("violates openai's", 2), ("against anthropic's", 2), ("violate my content policy", 2), ("violates our content policy", 2),
    ("violates our usage policies", 2), ("goes against the content policy", 2), ("my safety guidelines", 2),
    ("i can't help with that", 0), ("i can\u{2019}t help with that", 0), ("i can't assist with that", 0), ("can't fulfill that request", 0),
    ("can't fulfill this request", 0), ("cannot fulfill your request", 0), ("unable to fulfill this request", 0),
    ("i can't do that.", 0), ("i must decline", 0), ("i have to decline", 0), ("i respectfully decline", 0), ("i'll have to pass on", 0),
    ("抱歉，我无法", 0), ("抱歉，我不能", 0), ("对不起，我无法", 0), ("对不起，我不能", 0), ("很抱歉，我无法", 0), ("我无法提供", 0),
    ("我無法提供", 0), ("我不能提供", 0), ("我无法协助", 0), ("我无法满足", 0),
    ("お手伝いできません", 0), ("お答えできません", 0), ("提供できません", 0), ("対応できません", 0), ("お応えできません", 0), ("ご要望にはお応え", 0),
    ("도와드릴 수 없", 0), ("제공할 수 없", 0), ("답변할 수 없", 0), ("도움을 드릴 수 없", 0), ("제공해 드릴 수 없", 0),
    ("لا أستطيع مساعدتك", 0), ("لا يمكنني مساعدتك", 0), ("لا أستطيع تقديم", 0), ("لا يمكنني تقديم", 0), ("عذراً، لا يمكنني", 0),
    ("मैं इसमें आपकी मदद नहीं कर सकता", 0), ("मैं मदद नहीं कर सकता", 0), ("यह जानकारी नहीं दे सकता", 0),
    ("yard\u{131}mc\u{131} olamam", 0), ("yard\u{131}m edemem", 0), ("yard\u{131}mc\u{131} olam\u{131}yorum", 0),
    ("tôi không thể giúp", 0), ("tôi không thể cung cấp", 0), ("saya tidak dapat membantu", 0), ("saya tidak bisa membantu", 0),
    ("saya tidak dapat memberikan", 0),
];

/// What a model declines to do.
#[rustfmt::skip]
pub(super) static THINGS: &[&str] = &[
    "help with", "help you with", "help you create", "help you make", "help you do", "help you write", "help you to", "help create",
    "assist", "provide", "comply", "fulfill", "fulfil", "create", "generate", "produce", "write", "share", "discuss", "engage in",
    "support", "answer", "do that", "do this", "give you", "give instructions", "give advice", "offer", "participate", "promote",
    "continue with", "continue this", "respond to", "recommend", "disclose", "reveal", "endorse", "facilitate", "encourage",
    "accommodate", "proceed with", "complete this request", "complete that request", "complete your request", "process your request",
    "process this request", "your request", "this request", "that request", "this topic", "role-play", "roleplay", "pretend to",
    "speculate", "be part of", "condone", "help.", "help you.",
    "ayudarte", "ayudarle", "ayudar con", "proporcionar", "cumplir", "generar", "responder", "ayudarlo", "ofrecer", "compartir",
    "ajudar", "ajud\u{e1}-lo", "ajudar voc\u{ea}", "fornecer", "atender", "gerar", "aiutarti", "aiutarla", "fornire", "soddisfare", "generare",
    "vous aider", "t'aider", "fournir", "r\u{e9}pondre \u{e0}", "aider", "satisfaire", "g\u{e9}n\u{e9}rer",
    "nicht helfen", "nicht weiterhelfen", "nicht behilflich", "nicht beantworten", "nicht bereitstellen", "nicht erf\u{fc}llen",
    "nicht unterst\u{fc}tzen", "keine hilfe", "keine anleitung", "keine informationen", "nicht nachkommen", "nicht anbieten",
    "niet helpen", "niet verstrekken", "niet geven", "niet beantwoorden", "hj\u{e4}lpa", "hj\u{e6}lpe", "hjelpe", "ge dig", "pom\u{f3}c",
    "udzieli\u{107}", "spe\u{142}ni\u{107}", "dostarczy\u{107}", "yard\u{131}m", "помочь", "предоставить", "выполнить", "ответить", "помогу",
    "допомогти", "надати", "виконати",
];

/// Small words between an opening and a thing.
#[rustfmt::skip]
pub(super) static FILLERS: &[&str] = &[
    "to", "directly", "be", "able", "in", "good", "conscience", "ethically", "really", "personally", "do", "or", "and", "help", "you",
    "with", "the", "that", "this", "any", "going", "providing", "actually", "fully", "currently", "continue", "me", "for", "it", "but",
    "just", "simply", "honestly", "legally", "safely", "i", "can", "cannot", "can't", "not", "from", "ich", "kann", "ihnen", "dir", "dabei",
    "damit", "leider", "diese", "dieser", "bei", "mit", "anfrage", "je", "jou", "daarmee", "hierbij", "u", "la", "le", "te", "lo", "con", "eso",
    "de", "a", "isso", "com", "questo", "vous", "pas", "peux", "que", "en", "ti", "dig", "med", "det", "deg", "ci", "w", "tym",
    "cannot,", "which", "your", "request", "konnte", "nicht", "you,",
];
