//! Each rank in each language, with and without name and gender.

use super::*;
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::RecipientId;
use crate::domain::state::StateCode;

fn row(state: Option<&str>, rank: Rank, gender: Option<Gender>, name: Option<&str>) -> Recipient {
    Recipient {
        id: RecipientId::parse("row").expect("an id"),
        state: state.and_then(StateCode::parse),
        to: vec![Mailbox::parse("x@missions.example").expect("a mailbox")],
        cc: vec![],
        bcc: vec![],
        language: None,
        rank,
        name: name.map(str::to_owned),
        gender,
        attachments: vec![],
        verified_on: None,
        columns: std::collections::BTreeMap::new(),
        line: 2,
    }
}

fn greet(state: Option<&str>, rank: Rank, gender: Option<Gender>, name: Option<&str>) -> Vec<String> {
    let row = row(state, rank, gender, name);
    LANGUAGES
        .iter()
        .map(|language| Addressee::of(&row, language).salutation(Style::default()).expect("a table"))
        .collect()
}

fn envelope(state: Option<&str>, rank: Rank, gender: Option<Gender>) -> Vec<String> {
    let row = row(state, rank, gender, None);
    LANGUAGES.iter().map(|language| Addressee::of(&row, language).envelope_line().expect("a table")).collect()
}

#[test]
fn an_ambassador_is_greeted_without_name_or_gender() {
    assert_eq!(
        greet(Some("KEN"), Rank::PermanentRepresentative, None, None),
        ["أصحاب السعادة،", "Excellency,", "Excelencia:", "Excellence,", "Ваше Превосходительство,", "尊敬的大使阁下："]
    );
}

#[test]
fn gendered_forms_come_only_with_a_gender() {
    let female = greet(Some("KEN"), Rank::PermanentRepresentative, Some(Gender::Female), None);
    assert_eq!((female[0].as_str(), female[3].as_str()), ("سعادة السفيرة،", "Madame l'Ambassadrice,"));
    let male = greet(Some("KEN"), Rank::PermanentRepresentative, Some(Gender::Male), None);
    assert_eq!((male[0].as_str(), male[3].as_str()), ("سعادة السفير،", "Monsieur l'Ambassadeur,"));
}

#[test]
fn a_charge_is_never_excellency_and_the_mission_where_the_form_needs_more() {
    assert_eq!(
        greet(Some("KEN"), Rank::ChargeDAffaires, None, None),
        [
            "إلى البعثة الدائمة لجمهورية كينيا،",
            "Dear Chargé d'affaires,",
            "A la Misión Permanente de la República de Kenya:",
            "À la Mission permanente de la République du Kenya,",
            "В Постоянное представительство Республики Кения,",
            "致肯尼亚共和国常驻联合国代表团：",
        ]
    );
    assert_eq!(
        greet(Some("KEN"), Rank::ChargeDAffaires, Some(Gender::Female), Some("(Name)")),
        [
            "إلى البعثة الدائمة لجمهورية كينيا،",
            "Dear Ms. (Name),",
            "Señora Encargada de Negocios:",
            "Madame la Chargée d'affaires,",
            "Уважаемая госпожа (Name),",
            "致肯尼亚共和国常驻联合国代表团：",
        ]
    );
    assert_eq!(greet(Some("KEN"), Rank::ChargeDAffaires, None, Some("(Name)"))[1], "Dear (Name),");
    assert_eq!(greet(Some("KEN"), Rank::ChargeDAffaires, Some(Gender::Male), Some("(Name)"))[1], "Dear Mr. (Name),");
}

#[test]
fn a_vacant_post_is_the_mission() {
    let vacant = greet(Some("USA"), Rank::Vacant, None, None);
    assert_eq!(vacant[0], "إلى البعثة الدائمة للولايات المتحدة الأمريكية،");
    assert_eq!(vacant[1], "To the Permanent Mission of the United States of America,");
    assert_eq!(vacant[2], "A la Misión Permanente de los Estados Unidos de América:");
    assert_eq!(vacant[3], "À la Mission permanente des États-Unis d'Amérique,");
    assert_eq!(vacant[5], "致美利坚合众国常驻联合国代表团：");
}

#[test]
fn an_observer_is_excellency_whoever_it_is() {
    let observer = greet(Some("VAT"), Rank::PermanentObserver, Some(Gender::Male), None);
    assert_eq!(observer[1..4], ["Excellency,", "Excelencia:", "Excellence,"]);
    let vacant = greet(Some("VAT"), Rank::Vacant, None, None);
    assert_eq!(vacant[1], "To the Permanent Observer Mission of the Holy See,");
    assert_eq!(vacant[3], "À la Mission permanente d'observation du Saint-Siège,");
    assert_eq!(vacant[4], "В Постоянную миссию наблюдателя Святого Престола,");
}

#[test]
fn a_row_without_a_state_is_an_office() {
    assert_eq!(greet(None, Rank::PermanentRepresentative, None, None)[1], "To whom it may concern,");
    assert_eq!(greet(None, Rank::PermanentRepresentative, None, Some("(Name)"))[1], "Dear (Name),");
    assert_eq!(greet(None, Rank::PermanentObserver, None, None)[1], "Excellency,");
}

#[test]
fn the_envelope_names_the_office_with_the_formal_name() {
    assert_eq!(
        envelope(Some("GMB"), Rank::PermanentRepresentative, None),
        [
            "البعثة الدائمة لجمهورية غامبيا لدى الأمم المتحدة",
            "The Permanent Representative of the Republic of the Gambia to the United Nations",
            "Representante Permanente de la República de Gambia ante las Naciones Unidas",
            "Mission permanente de la République de Gambie auprès de l'Organisation des Nations Unies",
            "Постоянный представитель Республики Гамбия при Организации Объединенных Наций",
            "冈比亚共和国常驻联合国代表",
        ]
    );
    let charge = envelope(Some("NLD"), Rank::ChargeDAffaires, None);
    assert_eq!(
        charge[1],
        "The Chargé d'affaires a.i. of the Permanent Mission of the Kingdom of the Netherlands to the United Nations"
    );
    assert_eq!(charge[2], "Misión Permanente del Reino de los Países Bajos ante las Naciones Unidas");
    assert_eq!(charge[3], "Mission permanente du Royaume des Pays-Bas auprès de l'Organisation des Nations Unies");
    let charge = envelope(Some("KEN"), Rank::ChargeDAffaires, Some(Gender::Female));
    assert_eq!(
        charge,
        [
            "القائمة بالأعمال بالنيابة، البعثة الدائمة لجمهورية كينيا لدى الأمم المتحدة",
            "The Chargé d'affaires a.i. of the Permanent Mission of the Republic of Kenya to the United Nations",
            "Encargada de Negocios a.i. de la Misión Permanente de la República de Kenya ante las Naciones Unidas",
            "Chargée d'affaires a.i. de la Mission permanente de la République du Kenya auprès de l'Organisation des Nations Unies",
            "Временный поверенный в делах Постоянного представительства Республики Кения при Организации Объединенных Наций",
            "肯尼亚共和国常驻联合国代表团临时代办",
        ]
    );
    assert_eq!(
        envelope(Some("KEN"), Rank::PermanentRepresentative, Some(Gender::Female))[3],
        "Représentante permanente de la République du Kenya auprès de l'Organisation des Nations Unies"
    );
}

fn envelope_in(language: &str, state: Option<&str>, rank: Rank, gender: Option<Gender>, name: Option<&str>) -> String {
    Addressee::of(&row(state, rank, gender, name), language).envelope_line().expect("a table")
}

#[test]
fn an_observer_in_office_is_named_on_the_envelope_and_a_mission_without_one_is_not() {
    let palestine = |language, rank, gender| envelope_in(language, Some("PSE"), rank, gender, None);
    assert_eq!(
        palestine("ru", Rank::PermanentObserver, None),
        "Постоянный наблюдатель Государства Палестина при Организации Объединенных Наций"
    );
    assert_eq!(
        palestine("ru", Rank::Vacant, None),
        "Постоянная миссия наблюдателя Государства Палестина при Организации Объединенных Наций"
    );
    assert_eq!(
        palestine("ru", Rank::ChargeDAffaires, None),
        "Временный поверенный в делах Постоянной миссии наблюдателя Государства Палестина при Организации Объединенных Наций"
    );
    for (gender, said) in [
        (Some(Gender::Female), "Observadora Permanente del Estado de Palestina ante las Naciones Unidas"),
        (Some(Gender::Male), "Observador Permanente del Estado de Palestina ante las Naciones Unidas"),
        (None, "Misión Permanente de Observación del Estado de Palestina ante las Naciones Unidas"),
    ] {
        assert_eq!(palestine("es", Rank::PermanentObserver, gender), said);
    }
    assert_eq!(
        palestine("es", Rank::Vacant, Some(Gender::Male)),
        "Misión Permanente de Observación del Estado de Palestina ante las Naciones Unidas"
    );
}

#[test]
fn arabic_puts_the_style_before_the_person_and_the_observer_is_the_permanent_one() {
    let kenya = |gender, name| envelope_in("ar", Some("KEN"), Rank::PermanentRepresentative, gender, name);
    let (she, he) = (Some(Gender::Female), Some(Gender::Male));
    assert_eq!(kenya(she, Some("(الاسم)")), "سعادة السيدة (الاسم)، الممثلة الدائمة لجمهورية كينيا لدى الأمم المتحدة");
    assert_eq!(kenya(he, Some("(الاسم)")), "سعادة السيد (الاسم)، الممثل الدائم لجمهورية كينيا لدى الأمم المتحدة");
    assert_eq!(kenya(None, Some("(الاسم)")), "(الاسم)، البعثة الدائمة لجمهورية كينيا لدى الأمم المتحدة");
    assert_eq!(kenya(she, None), "سعادة الممثلة الدائمة لجمهورية كينيا لدى الأمم المتحدة");
    assert_eq!(
        envelope_in("ar", Some("KEN"), Rank::ChargeDAffaires, he, Some("(الاسم)")),
        "(الاسم)، القائم بالأعمال بالنيابة، البعثة الدائمة لجمهورية كينيا لدى الأمم المتحدة"
    );

    assert_eq!(
        envelope_in("ar", Some("VAT"), Rank::PermanentObserver, None, None),
        "بعثة المراقب الدائم للكرسي الرسولي لدى الأمم المتحدة"
    );
    assert_eq!(
        envelope_in("ar", Some("VAT"), Rank::ChargeDAffaires, he, None),
        "القائم بالأعمال بالنيابة، بعثة المراقب الدائم للكرسي الرسولي لدى الأمم المتحدة"
    );
    assert_eq!(greet(Some("VAT"), Rank::Vacant, None, None)[0], "إلى بعثة المراقب الدائم للكرسي الرسولي،");
}

#[test]
fn an_office_without_a_name_has_no_line_on_the_envelope() {
    for language in LANGUAGES {
        let of = |name| envelope_in(language, None, Rank::PermanentRepresentative, None, name);
        assert_eq!((of(None).as_str(), of(Some("(Name)")).as_str()), ("", "(Name)"), "{language}");
    }
    let mut row = row(None, Rank::PermanentRepresentative, None, None);
    row.to = vec![Mailbox::parse("The Office <x@missions.example>").expect("a mailbox")];
    assert_eq!(Addressee::of(&row, "en").envelope_line().as_deref(), Some("The Office"));
}

#[test]
fn french_takes_leave_of_an_office_as_it_greeted_it() {
    for (gender, vocative) in
        [(None, "Madame, Monsieur,"), (Some(Gender::Female), "Madame,"), (Some(Gender::Male), "Monsieur,")]
    {
        for rank in [Rank::PermanentRepresentative, Rank::Vacant] {
            let row = row(None, rank, gender, None);
            let addressee = Addressee::of(&row, "fr");
            assert_eq!(addressee.salutation(Style::default()).as_deref(), Some(vocative));
            assert_eq!(
                addressee.close(),
                Some(format!("Veuillez agréer, {vocative} les assurances de notre très haute considération."))
            );
        }
        let mission = row(Some("KEN"), Rank::Vacant, gender, None);
        assert_eq!(
            Addressee::of(&mission, "fr").close().as_deref(),
            Some("Veuillez agréer les assurances de notre très haute considération.")
        );
    }
}

#[test]
fn the_close_answers_to_the_salutation() {
    let close = |rank, gender, language: &str| {
        let row = row(Some("KEN"), rank, gender, None);
        Addressee::of(&row, language).close()
    };
    assert_eq!(close(Rank::PermanentRepresentative, None, "en").as_deref(), Some("Yours sincerely,"));
    assert_eq!(
        close(Rank::PermanentRepresentative, None, "fr").as_deref(),
        Some("Veuillez agréer, Excellence, les assurances de notre très haute considération.")
    );
    assert_eq!(
        close(Rank::PermanentRepresentative, Some(Gender::Female), "fr").as_deref(),
        Some("Veuillez agréer, Madame l'Ambassadrice, les assurances de notre très haute considération.")
    );
    assert_eq!(
        close(Rank::Vacant, None, "fr").as_deref(),
        Some("Veuillez agréer les assurances de notre très haute considération.")
    );
    assert_eq!(
        close(Rank::ChargeDAffaires, Some(Gender::Female), "es").as_deref(),
        Some(
            "Le rogamos acepte, Señora Encargada de Negocios, las seguridades de nuestra más alta y distinguida consideración."
        )
    );
    let to_the_mission = close(Rank::Vacant, None, "es").expect("a table");
    assert!(to_the_mission.starts_with("Reciban "), "a mission is several: {to_the_mission}");
    for language in LANGUAGES {
        let charge = close(Rank::ChargeDAffaires, None, language).expect("a table");
        assert!(!charge.to_lowercase().contains("excel"), "{charge}");
    }
}

#[test]
fn a_language_without_a_table_says_so() {
    let row = row(Some("AFG"), Rank::PermanentRepresentative, None, None);
    let addressee = Addressee::of(&row, "prs");
    assert_eq!(
        (addressee.salutation(Style::default()), addressee.envelope_line(), addressee.close()),
        (None, None, None)
    );
}

#[test]
fn every_state_has_every_form() {
    for state in crate::domain::state::all() {
        for rank in [Rank::PermanentRepresentative, Rank::ChargeDAffaires, Rank::PermanentObserver, Rank::Vacant] {
            let row = row(Some(state.code.as_str()), rank, None, None);
            for language in LANGUAGES {
                let addressee = Addressee::of(&row, language);
                let forms = [addressee.salutation(Style::default()), addressee.envelope_line(), addressee.close()];
                for form in forms {
                    let form = form.expect("a table");
                    assert!(!form.contains("  ") && !form.contains("de le ") && !form.contains("de el "), "{form}");
                }
            }
        }
    }
}
