//! Names of Unicode classes that Go 1.26 knows, and how to write them for the `regex` crate.

const CATEGORIES: [&str; 38] = [
    "C", "Cc", "Cf", "Cn", "Co", "Cs", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// Long names of categories, without underscores.
const ALIASES: [(&str, &str); 42] = [
    ("Casedletter", "LC"),
    ("Closepunctuation", "Pe"),
    ("Cntrl", "Cc"),
    ("Combiningmark", "M"),
    ("Connectorpunctuation", "Pc"),
    ("Control", "Cc"),
    ("Currencysymbol", "Sc"),
    ("Dashpunctuation", "Pd"),
    ("Decimalnumber", "Nd"),
    ("Digit", "Nd"),
    ("Enclosingmark", "Me"),
    ("Finalpunctuation", "Pf"),
    ("Format", "Cf"),
    ("Initialpunctuation", "Pi"),
    ("Letter", "L"),
    ("Letternumber", "Nl"),
    ("Lineseparator", "Zl"),
    ("Lowercaseletter", "Ll"),
    ("Mark", "M"),
    ("Mathsymbol", "Sm"),
    ("Modifierletter", "Lm"),
    ("Modifiersymbol", "Sk"),
    ("Nonspacingmark", "Mn"),
    ("Number", "N"),
    ("Openpunctuation", "Ps"),
    ("Other", "C"),
    ("Otherletter", "Lo"),
    ("Othernumber", "No"),
    ("Otherpunctuation", "Po"),
    ("Othersymbol", "So"),
    ("Paragraphseparator", "Zp"),
    ("Privateuse", "Co"),
    ("Punct", "P"),
    ("Punctuation", "P"),
    ("Separator", "Z"),
    ("Spaceseparator", "Zs"),
    ("Spacingmark", "Mc"),
    ("Surrogate", "Cs"),
    ("Symbol", "S"),
    ("Titlecaseletter", "Lt"),
    ("Unassigned", "Cn"),
    ("Uppercaseletter", "Lu"),
];

/// Scripts whose name is one word. Go 1.26 compares names without underscores with a table that has them, and so
/// refuses all others.
const SCRIPTS: &str = "Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi \
    Braille Buginese Buhid Carian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cyrillic Deseret \
    Devanagari Dogra Duployan Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han \
    Hangul Hanunoo Hatran Hebrew Hiragana Inherited Javanese Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki \
    Khudawadi Lao Latin Lepcha Limbu Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen \
    Medefaidrin Miao Modi Mongolian Mro Multani Myanmar Nabataean Nandinagari Newa Nko Nushu Ogham Oriya Osage Osmanya \
    Palmyrene Phoenician Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham Sinhala Sogdian Soyombo Sundanese \
    Syriac Tagalog Tagbanwa Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai \
    Vithkuqi Wancho Yezidi Yi";

/// No character at all.
pub(crate) const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";
/// Every character.
const EVERYTHING: &str = r"[\x{0}-\x{10FFFF}]";

/// The class of this name and its complement, as items of a class of the `regex` crate.
pub(crate) fn class(name: &str, negated: bool) -> Option<String> {
    let name = canonical(name);
    let sign = if negated { 'P' } else { 'p' };
    let property = match name.as_str() {
        "Any" => return Some(if negated { NOTHING } else { EVERYTHING }.to_owned()),
        "Ascii" => return Some(if negated { r"[^\x{0}-\x{7F}]" } else { r"[\x{0}-\x{7F}]" }.to_owned()),
        "Assigned" => return Some(format!(r"\{}{{gc=Cn}}", if negated { 'p' } else { 'P' })),
        "Lc" => "gc=LC".to_owned(),
        name => {
            let category = CATEGORIES.iter().find(|category| **category == name).copied();
            let alias = || ALIASES.iter().find(|alias| alias.0 == name).map(|alias| alias.1);
            match category.or_else(alias) {
                // Surrogates are not characters.
                Some("Cs") => return Some(if negated { EVERYTHING } else { NOTHING }.to_owned()),
                Some(category) => format!("gc={category}"),
                None if SCRIPTS.split(' ').any(|script| script == name) => format!("sc={name}"),
                None => return None,
            }
        }
    };
    Some(format!(r"\{sign}{{{property}}}"))
}

/// Capital first, the rest small, without underscores, hyphens and spaces.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for character in name.chars().filter(|character| !matches!(character, '_' | '-' | ' ')) {
        canonical.push(if canonical.is_empty() {
            character.to_ascii_uppercase()
        } else {
            character.to_ascii_lowercase()
        });
    }
    canonical
}
