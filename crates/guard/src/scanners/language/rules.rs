//! The languages, by ISO 639-1 code. Sorted by code.

use signalbox_types::Severity;

use crate::scanner::Rule;

macro_rules! languages {
    ($($code:literal $name:literal;)+) => {
        pub(super) static ALL: &[Rule] = &[$(Rule {
            name: $code,
            severity: Severity::Low,
            message: concat!("Text in ", $name, ". Name the languages in `rules` that a policy is for."),
        }),+];
    };
}

languages! {
    "af" "Afrikaans";
    "am" "Amharic";
    "ar" "Arabic";
    "az" "Azerbaijani";
    "be" "Belarusian";
    "bg" "Bulgarian";
    "bn" "Bengali";
    "bs" "Bosnian";
    "ca" "Catalan";
    "cs" "Czech";
    "cy" "Welsh";
    "da" "Danish";
    "de" "German";
    "el" "Greek";
    "en" "English";
    "eo" "Esperanto";
    "es" "Spanish";
    "et" "Estonian";
    "eu" "Basque";
    "fa" "Persian";
    "fi" "Finnish";
    "fr" "French";
    "ga" "Irish";
    "gu" "Gujarati";
    "he" "Hebrew";
    "hi" "Hindi";
    "hr" "Croatian";
    "hu" "Hungarian";
    "hy" "Armenian";
    "id" "Indonesian";
    "is" "Icelandic";
    "it" "Italian";
    "ja" "Japanese";
    "ka" "Georgian";
    "kk" "Kazakh";
    "km" "Khmer";
    "kn" "Kannada";
    "ko" "Korean";
    "la" "Latin";
    "lg" "Ganda";
    "lo" "Lao";
    "lt" "Lithuanian";
    "lv" "Latvian";
    "mi" "Maori";
    "mk" "Macedonian";
    "ml" "Malayalam";
    "mn" "Mongolian";
    "mr" "Marathi";
    "ms" "Malay";
    "my" "Burmese";
    "nb" "Norwegian (Bokmål)";
    "nl" "Dutch";
    "nn" "Norwegian (Nynorsk)";
    "pa" "Punjabi";
    "pl" "Polish";
    "pt" "Portuguese";
    "ro" "Romanian";
    "ru" "Russian";
    "si" "Sinhala";
    "sk" "Slovak";
    "sl" "Slovene";
    "sn" "Shona";
    "so" "Somali";
    "sq" "Albanian";
    "sr" "Serbian";
    "st" "Sotho";
    "sv" "Swedish";
    "sw" "Swahili";
    "ta" "Tamil";
    "te" "Telugu";
    "th" "Thai";
    "tl" "Tagalog";
    "tn" "Tswana";
    "tr" "Turkish";
    "ts" "Tsonga";
    "uk" "Ukrainian";
    "ur" "Urdu";
    "vi" "Vietnamese";
    "xh" "Xhosa";
    "yo" "Yoruba";
    "zh" "Chinese";
    "zu" "Zulu";
}
