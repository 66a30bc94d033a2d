//! The six letters that ship: whole, in their own words, with the terms of the United Nations; and a seventh language.

mod letter_common;
mod support;

use std::fs;
use std::path::Path;

use demarche::diagnostic::Diagnostic;
use demarche::domain::language::Language;
use demarche::domain::recipient::{Gender, Rank, Recipient};
use demarche::domain::settings::LetterSettings;
use demarche::letter::{Letter, Rendered, SourceFile, read_folder};
use letter_common::{row, shown, with_rank};
use support::campaign::Campaign;
use support::python::inspect;
use unicode_width::UnicodeWidthStr as _;

const EXAMPLE: &str = include_str!("../config.example.toml");
const LANGUAGES: [&str; 6] = ["ar", "en", "es", "fr", "ru", "zh"];
const RANKS: [Rank; 4] = [Rank::PermanentRepresentative, Rank::ChargeDAffaires, Rank::PermanentObserver, Rank::Vacant];

/// Of the example config.
fn settings() -> LetterSettings {
    settings_of(EXAMPLE)
}

fn settings_of(config: &str) -> LetterSettings {
    let now = "2021-09-01T00:00:00Z".parse().expect("a time");
    let (config, problems) = demarche::config::parse(config, "config.toml", Path::new("/nowhere"), now);
    config.unwrap_or_else(|| panic!("{}", shown(&problems))).settings
}

fn sources() -> Vec<SourceFile> {
    let (files, problems) = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), "templates");
    assert!(problems.is_empty(), "{}", shown(&problems));
    files
}

fn load(files: &[SourceFile], settings: &LetterSettings) -> Letter {
    let (letter, problems): (_, Vec<Diagnostic>) = Letter::load(files, "templates", settings);
    assert!(problems.is_empty(), "{}", shown(&problems));
    letter.expect("a letter")
}

fn shipped() -> Letter {
    load(&sources(), &settings())
}

#[track_caller]
fn render(letter: &Letter, row: &Recipient, language: &str) -> Rendered {
    let row = Recipient { language: Language::parse(language).ok(), ..row.clone() };
    letter.render(&row, 0).unwrap_or_else(|problems| panic!("{language}: {}", shown(&problems)))
}

/// One line, whatever was wrapped where; between Chinese characters nothing stood.
fn flowing(text: &str, language: &str) -> String {
    let between = if language == "zh" { "" } else { " " };
    text.split_whitespace().collect::<Vec<_>>().join(between)
}

/// One line, with the no-break spaces there are.
fn flowing_as_is(text: &str) -> String {
    text.split([' ', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a reader of the page sees, with a blank for each tag.
fn seen(html: &str) -> String {
    let body = html.split_once("<body").expect("a body").1;
    let text: Vec<&str> = body.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)).collect();
    text.join(" ").replace("&amp;", "&").replace("&quot;", "\"").replace("&#39;", "'")
}

/// The letter's own part of the page, without letterhead and foot.
fn body(html: &str) -> &str {
    let start = html.find("<td class=\"body\"").expect("a body");
    &html[start..html.find("<td class=\"foot\"").expect("its end")]
}

/// Letters and digits in their order: what text and page have in common, whatever was wrapped or marked.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[track_caller]
fn assert_is_fit(rendered: &Rendered, language: &str) {
    for line in rendered.text.lines() {
        let line = line.strip_suffix(' ').filter(|_| rendered.flowed).unwrap_or(line);
        assert!(line.width() <= 76, "{language}: {} columns: {line}", line.width());
        assert!(!line.ends_with(' '), "{line}");
    }
    for wrong in ["  ", " ,", " .", " de le ", " de les ", " de el ", " a el ", " à le ", "{", "}"] {
        assert!(!rendered.subject.contains(wrong), "\"{wrong}\" in {}", rendered.subject);
        if wrong != "  " {
            assert!(!rendered.text.contains(wrong), "\"{wrong}\" in {language}: {}", rendered.text);
        }
    }
    let requests: Vec<String> = (1..=6).map(|number| format!("{number}. ")).collect();
    let numbered: Vec<&str> = rendered
        .text
        .lines()
        .filter(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(". "))
        .map(|line| &line[..3])
        .collect();
    assert_eq!(numbered, requests, "{language}");
    assert_eq!(rendered.html.matches("<li ").count(), 6, "{language}");
    assert_eq!(rendered.html.matches("<strong").count(), 7, "{language}: a heading each, and the signature");
}

#[test]
fn every_letter_is_fit_for_every_state_and_every_rank() {
    let letter = shipped();
    assert_eq!(letter.languages().iter().map(Language::as_str).collect::<Vec<_>>(), LANGUAGES);
    let mut members = 0;
    for state in demarche::domain::state::all() {
        members += usize::from(state.member);
        for language in LANGUAGES {
            let rendered = [Rank::PermanentRepresentative, Rank::Vacant]
                .map(|rank| render(&letter, &with_rank(state.code.as_str(), rank, None, None), language));
            for rendered in &rendered {
                assert_is_fit(rendered, language);
            }
            let [rendered, ..] = rendered;
            let name = if state.name(language).contains('(') { state.formal(language) } else { state.name(language) };
            let name = if language == "ru" { state.column("of_ru") } else { name };
            if state.member && ["ar", "ru", "zh"].contains(&language) {
                assert!(rendered.subject.contains(name), "{name}: {}", rendered.subject);
            }
            if let Some(of) = ["fr", "es"].contains(&language).then(|| state.column(&format!("de_{language}"))) {
                assert!(rendered.subject.contains(of), "{of}: {}", rendered.subject);
                assert!(flowing(&rendered.text, language).contains(of), "{of}: {}", rendered.text);
            }
        }
    }
    assert_eq!(members, 193);
}

#[test]
fn every_letter_is_fit_for_every_rank_gender_and_name() {
    let letter = shipped();
    for iso3 in ["KEN", "GBR", "IRN", "VAT", "PSE", ""] {
        for rank in RANKS {
            for gender in [None, Some(Gender::Female), Some(Gender::Male)] {
                for name in [None, Some("(Name)")] {
                    for language in LANGUAGES {
                        let rendered = render(&letter, &with_rank(iso3, rank, gender, name), language);
                        assert_is_fit(&rendered, language);
                    }
                }
            }
        }
    }
}

#[test]
fn an_office_without_a_name_is_greeted_below_the_date() {
    let letter = shipped();
    for language in LANGUAGES {
        let of = |name| render(&letter, &with_rank("", Rank::PermanentRepresentative, None, name), language);
        let (nameless, named) = (of(None), of(Some("(Name)")));
        let lines = |rendered: &Rendered| {
            rendered.text.lines().take(5).map(|line| line.replace('\u{200f}', "")).collect::<Vec<_>>()
        };
        let [date, empty, salutation, after, title] = <[String; 5]>::try_from(lines(&nameless)).expect("five lines");
        assert_eq!((empty.as_str(), after.as_str()), ("", ""), "{language}");
        assert!(!date.is_empty() && !salutation.is_empty() && !title.is_empty(), "{language}: {}", nameless.text);
        assert!(!nameless.text.contains("mission@missions.example"), "{language}: {}", nameless.text);
        assert_eq!(lines(&named)[..3], [date, String::new(), "(Name)".into()], "{language}");
        let paragraphs = |rendered: &Rendered| body(&rendered.html).matches("<p ").count();
        assert_eq!(paragraphs(&nameless) + 1, paragraphs(&named), "{language}: no empty paragraph is left");
        assert_is_fit(&nameless, language);
    }
}

#[test]
fn a_number_stays_with_what_it_counts_and_a_dash_with_the_word_before_it() {
    let letter = shipped();
    for (language, together) in [
        ("en", ["+1\u{a0}555\u{a0}0100"].as_slice()),
        ("es", &["380\u{a0}organizaciones"]),
        ("fr", &["2242\u{a0}(2015)"]),
        ("ru", &["380\u{a0}организаций", "88\u{a0}стран", "2242\u{a0}(2015)", "Афганистан\u{a0}— не"]),
    ] {
        let rendered = render(&letter, &row("KEN"), language);
        for part in together {
            assert!(flowing_as_is(&rendered.text).contains(part), "{language}: {part} in {}", rendered.text);
            assert!(rendered.html.contains(part), "{language}: {part} in {}", rendered.html);
        }
        assert!(!rendered.text.contains(" —") && !rendered.text.contains("\n—"), "{language}: {}", rendered.text);
    }
}

/// What each translation has to say, in the words that the United Nations use.
const TERMS: [(&str, &[&str]); 5] = [
    (
        "fr",
        &[
            "Conseil de sécurité",
            "États Membres",
            "débat public",
            "les femmes et la paix et la sécurité",
            "défenseuses des droits humains",
            "représailles",
            "résolution 2242 (2015)",
            "Secrétaire général, António Guterres",
            "Sous-Secrétaire générale aux droits de l'homme, Ilze Brands Kehris",
            "Groupe informel d'experts",
            "opérations de paix",
            "société civile",
            "Afghanistan",
            "380 organisations",
            "88 pays",
        ],
    ),
    (
        "es",
        &[
            "Consejo de Seguridad",
            "Estados Miembros",
            "debate abierto",
            "las mujeres y la paz y la seguridad",
            "defensoras de los derechos humanos",
            "represalias",
            "resolución 2242 (2015)",
            "Secretario General, António Guterres",
            "Subsecretaria General de Derechos Humanos, Ilze Brands Kehris",
            "Grupo Oficioso de Expertos",
            "operaciones de paz",
            "sociedad civil",
            "Afganistán",
            "380 organizaciones",
            "88 países",
        ],
    ),
    (
        "ru",
        &[
            "Совета Безопасности",
            "каждое государство-член",
            "открытые прения",
            "о женщинах и мире и безопасности",
            "женщин-правозащитниц",
            "репрессиям",
            "резолюцией 2242 (2015)",
            "Генерального секретаря Антониу Гутерриша",
            "помощника Генерального секретаря по правам человека Илзе Брандс Керис",
            "Неофициальную группу экспертов",
            "миротворческие операции",
            "гражданского общества",
            "Афганистане",
            "380 организаций",
            "88 стран",
        ],
    ),
    (
        "ar",
        &[
            "مجلس الأمن",
            "الدول الأعضاء",
            "المناقشة المفتوحة",
            "المرأة والسلام والأمن",
            "المدافعات عن حقوق الإنسان",
            "الأعمال الانتقامية",
            "للقرار 2242 (2015)",
            "الأمين العام، أنطونيو غوتيريش",
            "الأمينة العامة المساعدة لحقوق الإنسان، إيلزي براندس كيريس",
            "فريق الخبراء غير الرسمي",
            "عمليات السلام",
            "المجتمع المدني",
            "أفغانستان",
            "380 منظمة",
            "88 بلداً",
        ],
    ),
    (
        "zh",
        &[
            "安全理事会",
            "会员国",
            "公开辩论",
            "妇女与和平与安全",
            "妇女人权维护者",
            "报复",
            "恐吓",
            "第2242(2015)号决议",
            "秘书长安东尼奥·古特雷斯",
            "主管人权事务助理秘书长伊尔泽·布兰兹·科里斯",
            "非正式专家组",
            "和平行动",
            "民间社会",
            "阿富汗",
            "380个民间社会组织",
            "88个国家",
        ],
    ),
];

#[test]
fn every_letter_speaks_with_the_terms_of_the_united_nations() {
    let letter = shipped();
    for (language, terms) in TERMS {
        let rendered = render(&letter, &row("KEN"), language);
        let text = flowing(&rendered.text, language);
        for term in terms {
            assert!(text.contains(term), "{language} does not say \"{term}\":\n{text}");
        }
    }
}

#[test]
fn nouns_agree_with_whatever_numbers_the_config_has() {
    let of = |organizations: u32, countries: u32, language: &str| {
        let mut settings = settings();
        settings.vars.insert("organizations".into(), organizations.into());
        settings.vars.insert("countries".into(), countries.into());
        flowing(&render(&load(&sources(), &settings), &row("KEN"), language).text, language)
    };
    for (organizations, countries, language, said) in [
        (391, 98, "ru", "от имени 391 организации гражданского общества из 98 стран."),
        (481, 92, "ru", "от имени 481 организации гражданского общества из 92 стран."),
        (661, 101, "ru", "из 101 страны."),
        (105, 7, "ar", "105 منظمات من منظمات المجتمع المدني تعمل في 7 بلدان"),
        (400, 100, "ar", "400 منظمة من منظمات المجتمع المدني تعمل في 100 بلد "),
        (391, 98, "ar", "تعمل في 98 بلداً "),
    ] {
        let text = of(organizations, countries, language);
        assert!(text.contains(said), "{language}: \"{said}\" is not in {text}");
    }
}

#[test]
fn no_english_is_left_in_a_translation() {
    let letter = shipped();
    let addresses =
        ["advocacy@coalition.example", "https://coalition.example/open-letter", "letters@coalition.example"];
    for language in LANGUAGES.into_iter().filter(|language| *language != "en") {
        for (iso3, rank) in [("KEN", Rank::PermanentRepresentative), ("VAT", Rank::Vacant), ("", Rank::Vacant)] {
            let rendered = render(&letter, &with_rank(iso3, rank, None, None), language);
            let mut all = format!("{} {} {}", rendered.subject, rendered.text, seen(&rendered.html));
            for address in addresses.into_iter().chain(["mission@missions.example"]) {
                all = all.replace(address, "");
            }
            if ["ar", "ru", "zh"].contains(&language) {
                let latin: String = all.chars().filter(char::is_ascii_alphabetic).collect();
                assert_eq!(latin, "", "{language}: {all}");
            }
            for word in all.split(|c: char| !c.is_alphabetic()) {
                let english = ["the", "of", "and", "women", "Council", "Security", "letter", "Coalition"];
                let own = language == "fr" && word == "Coalition";
                assert!(own || !english.contains(&word), "{language}: \"{word}\" in {all}");
            }
        }
    }
}

#[test]
fn dates_are_written_as_each_language_does() {
    let dates = [
        ("en", "1 September 2021", "21 October 2021", "15 October 2021"),
        ("fr", "Le 1er septembre 2021", "21 octobre 2021", "15 octobre 2021"),
        ("es", "1 de septiembre de 2021", "21 de octubre de 2021", "15 de octubre de 2021"),
        ("ru", "1 сентября 2021 года", "21 октября 2021 года", "15 октября 2021 года"),
        ("ar", "1 أيلول/سبتمبر 2021", "21 تشرين الأول/أكتوبر 2021", "15 تشرين الأول/أكتوبر 2021"),
        ("zh", "2021年9月1日", "2021年10月21日", "2021年10月15日"),
    ];
    let letter = shipped();
    for (language, written, event, reply_by) in dates {
        let rendered = render(&letter, &row("KEN"), language);
        assert_eq!(rendered.text.lines().next(), Some(written), "{language}");
        assert!(rendered.subject.contains(event), "{language}: {}", rendered.subject);
        let text = flowing(&rendered.text, language);
        assert!(text.contains(event) && text.contains(reply_by), "{language}: {text}");
        assert!(!text.contains("2021-"), "{language}: {text}");
    }
}

#[test]
fn the_page_says_its_language_and_direction_even_where_its_head_is_cut_off() {
    let letter = shipped();
    for language in LANGUAGES {
        let html = render(&letter, &row("KEN"), language).html;
        let direction = if language == "ar" { "rtl" } else { "ltr" };
        let said = format!("lang=\"{language}\" dir=\"{direction}\"");
        let (head, body) = html.split_once("<body").expect("a body");
        assert!(head.contains(&format!("<html {said}")), "{language}: {head}");
        assert!(body.contains(&said), "web mail shows what is inside the body only: {language}");
        assert_eq!(html.contains("padding-right: 28px"), language == "ar", "the numbers' side: {language}");
    }
}

#[test]
fn text_and_page_say_the_same_in_every_language() {
    let letter = shipped();
    for language in LANGUAGES {
        let rendered = render(&letter, &row("KEN"), language);
        let mut page = String::new();
        for (at, item) in body(&rendered.html).split("<li ").enumerate() {
            if at > 0 {
                page.push_str(&at.to_string());
            }
            // The first piece of an item is the rest of its tag.
            let item = if at > 0 { item.split_once('>').expect("a tag").1 } else { item };
            page.push_str(&seen(&format!("<body>{item}")));
        }
        assert_eq!(letters(&rendered.text), letters(&page), "{language}");
    }
}

#[test]
fn a_translation_says_so_and_the_original_does_not() {
    let said = [
        ("ar", "مترجمة عن الإنكليزية"),
        ("es", "Traducido del inglés"),
        ("fr", "Traduit de l'anglais"),
        ("ru", "Перевод с английского"),
        ("zh", "译自英文"),
    ];
    let letter = shipped();
    for (language, line) in said {
        assert_eq!(render(&letter, &row("KEN"), language).text.lines().last(), Some(line));
    }
    assert!(!render(&letter, &row("KEN"), "en").text.contains("Translated"));
    let files: Vec<SourceFile> = sources()
        .into_iter()
        .map(|mut file| {
            let text = String::from_utf8(file.bytes).expect("UTF-8").replace("translated_from = \"en\"\n", "");
            file.bytes = text.into_bytes();
            file
        })
        .collect();
    let letter = load(&files, &settings());
    for (language, line) in said {
        assert!(!render(&letter, &row("KEN"), language).text.contains(line), "{language}");
    }
}

#[test]
fn enclosures_are_counted_in_every_language() {
    let said = [
        ("ar", "المرفقات: 2"),
        ("en", "Enclosures: 2"),
        ("es", "Anexos: 2"),
        ("fr", "Pièces jointes\u{a0}: 2"),
        ("ru", "Приложения: 2"),
        ("zh", "附件：2份"),
    ];
    let letter = shipped();
    for (language, line) in said {
        let row = Recipient { language: Language::parse(language).ok(), ..row("KEN") };
        let with = letter.render(&row, 2).expect("rendered").text;
        assert!(with.lines().any(|found| found == line), "{language}: {with}");
        assert!(
            !render(&letter, &row, language)
                .text
                .contains(&line.chars().take_while(|c| c.is_alphabetic()).collect::<String>()),
            "{language}"
        );
    }
}

#[test]
fn arabic_keeps_foreign_words_and_numbers_in_their_order() {
    let rendered = render(&shipped(), &row("KEN"), "ar");
    for side in [&rendered.text, &rendered.html] {
        assert!(side.contains("\u{200e}+1\u{a0}555\u{a0}0100"), "a number after Arabic would be turned round: {side}");
        assert!(!side.contains(|c| matches!(c, '\u{202a}'..='\u{202e}')), "no embeddings");
    }
    for line in rendered.text.lines() {
        let first = line.chars().find(|c| c.is_alphabetic() || *c == '\u{200f}');
        assert!(first.is_none_or(|c| !c.is_ascii_alphabetic()), "would be shown from the left: {line}");
    }
    // Where the words of the config are not given in Arabic, they stand in Latin letters, and the lines keep their side.
    let bare: String = EXAMPLE.split_inclusive("\n\n").filter(|part| !part.starts_with("[vars.")).collect();
    let latin = render(&load(&sources(), &settings_of(&bare)), &row("KEN"), "ar");
    let words = flowing(&latin.text, "ar").replace('\u{200f}', "");
    assert!(words.contains("الأمين العام، António Guterres، إلى"), "{}", latin.text);
    assert!(latin.text.contains("\n\u{200f}Coalition Secretariat\n"), "{}", latin.text);
}

#[test]
fn what_the_config_says_for_one_language_changes_that_one_only() {
    let changed = EXAMPLE.replace("Антониу Гутерриша", "Имярек").replace("la Coalition", "l'Alliance");
    let (before, after) = (shipped(), load(&sources(), &settings_of(&changed)));
    for language in LANGUAGES {
        let differs = render(&before, &row("KEN"), language) != render(&after, &row("KEN"), language);
        assert_eq!(differs, language == "ru" || language == "fr", "{language}");
    }
    assert!(render(&after, &row("KEN"), "fr").html.contains("Secrétariat de l'Alliance"));
}

/// Dari: written here, not shipped. No forms of address and no month names are built in for it.
const DARI: &str = "+++
subject = 'نامهٔ سرگشاده'
translated_from = 'en'
+++
{{ vars.letter_date | long_date }}

جلالت‌مآب،

# نامهٔ سرگشاده به همهٔ کشورهای عضو ملل متحد

ما از طرف {{ vars.organizations }} سازمان جامعهٔ مدنی می‌نویسیم.

1. **توقف حملات.** به [{{ vars.contact_email }}](mailto:{{ vars.contact_email }}) بنویسید.

{{ vars.assistant_secretary_general }} نقش رهبری دارد.
";

#[test]
fn any_other_language_needs_only_its_file() {
    let mut files = sources();
    files.push(letter_common::file("letter.prs.md", DARI));
    let rendered = render(&load(&files, &settings()), &row("AFG"), "prs");
    assert!(rendered.html.contains("<html lang=\"prs\" dir=\"rtl\""), "{}", rendered.html);
    assert!(rendered.html.contains("padding-right: 28px"));
    assert!(rendered.text.starts_with("2021-09-01\n\nجلالت‌مآب،\n"), "{}", rendered.text);
    assert!(rendered.text.contains("\n\u{200f}Ilze Brands Kehris نقش"), "{}", rendered.text);
    assert!(rendered.text.contains("380 سازمان"));
}

/// A campaign in all six languages: `init`, then a language for six rows.
#[test]
fn six_languages_come_out_of_init_and_preview_as_python_reads_them() {
    if !support::python_or_skip("reading the letters in six languages with Python") {
        return;
    }
    let folder = Campaign::new();
    folder.run(&["init", "open-letter"]).expect_code(0);
    let missions = [("EGY", "ar"), ("KEN", "en"), ("MEX", "es"), ("FRA", "fr"), ("RUS", "ru"), ("CHN", "zh")];
    let csv: String = ["state,to,language\n".to_owned()]
        .into_iter()
        .chain(missions.map(|(state, language)| format!("{state},{state}@missions.example,{language}\n")))
        .collect();
    let shipped_rows = folder.read("open-letter/recipients.csv");
    assert_eq!(shipped_rows.lines().filter(|line| line.split(',').nth(2) == Some("")).count(), 193);
    let folder = folder.file("open-letter/recipients.csv", csv);
    folder.run(&["--config", "open-letter/config.toml", "preview"]).expect_code(0);

    let letters = folder.path("letters");
    fs::create_dir(&letters).expect("our own folder");
    for (state, _) in missions {
        let name = format!("{state}.eml");
        fs::copy(folder.path("open-letter/preview").join(&name), letters.join(&name)).expect("a letter each");
    }
    let letter = shipped();
    let found = inspect(&letters);
    assert_eq!(found.len(), missions.len());
    for message in found {
        let (state, language) = missions.iter().find(|(state, _)| message.file.starts_with(state)).expect("ours");
        let expected = render(&letter, &row(state), language);
        assert!(message.defects.is_empty(), "{language}: {:?}", message.defects);
        assert_eq!((message.bare_cr, message.bare_lf), (0, 0), "{language}");
        assert!(message.longest_line <= 998, "{language}: {}", message.longest_line);
        assert_eq!(message.content_language.as_deref(), Some(*language));
        assert_eq!(message.subject.as_deref(), Some(expected.subject.as_str()), "{language}");
        let decoded = |kind| message.text(kind).expect("a part").replace("\r\n", "\n");
        assert_eq!(decoded("text/plain"), expected.text, "{language}");
        assert_eq!(decoded("text/html"), expected.html, "{language}");
    }
}
