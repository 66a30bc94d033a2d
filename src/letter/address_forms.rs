//! Forms of address by protocol: how a letter greets, names on its face and takes leave of whom it is written to.
//!
//! One table a language, over the rank. The default needs neither name nor gender; a gendered form is used only where
//! the row gives the gender, and a form that would need what the row does not give falls back to the mission itself.

use crate::domain::recipient::{Gender, Rank, Recipient};
use crate::domain::state::State;

use super::context::primary;

/// How the head of a mission is greeted, where the language has a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Style {
    /// "Excellency,": the style of the United Nations.
    #[default]
    Excellency,
    /// "Your Excellency,".
    YourExcellency,
    /// "Dear Ambassador (name),", where the row has a name.
    Ambassador,
}

/// The languages that have a table.
pub(super) const LANGUAGES: [&str; 6] = ["ar", "en", "es", "fr", "ru", "zh"];

/// What the forms depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressee<'a> {
    language: &'a str,
    rank: Rank,
    gender: Option<Gender>,
    name: Option<&'a str>,
    surname: Option<&'a str>,
    state: Option<&'static State>,
    /// What stands on the envelope where there is no state: the name or the display name.
    fallback: Option<&'a str>,
}

impl<'a> Addressee<'a> {
    /// The addressee of a row, for a letter in a language. A column `surname`, if there is one, is used for "Mr. …".
    pub(super) fn of(recipient: &'a Recipient, language: &'a str) -> Self {
        let name = recipient.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let surname = recipient.columns.get("surname").map(|text| text.trim()).filter(|text| !text.is_empty());
        Self {
            language: primary(language),
            rank: recipient.rank,
            gender: recipient.gender,
            name,
            surname: surname.or(name),
            state: recipient.state.map(crate::domain::state::StateCode::state),
            fallback: name.or_else(|| recipient.to.first().and_then(|mailbox| mailbox.display_name())),
        }
    }

    /// The greeting with its punctuation; `None` in a language without a table.
    pub(super) fn salutation(&self, style: Style) -> Option<String> {
        if !LANGUAGES.contains(&self.language) {
            return None;
        }
        // An office that is no mission has no ambassador; an observer without a state (an organization) has.
        if self.state.is_none() && matches!(self.rank, Rank::PermanentRepresentative | Rank::Vacant) {
            return Some(self.to_an_office());
        }
        match self.rank {
            Rank::PermanentRepresentative => Some(self.to_an_ambassador(style)),
            Rank::PermanentObserver => Some(self.to_an_observer(style)),
            Rank::ChargeDAffaires => Some(self.to_a_charge().unwrap_or_else(|| self.to_the_mission())),
            Rank::Vacant => Some(self.to_the_mission()),
        }
    }

    fn to_an_ambassador(self, style: Style) -> String {
        match (self.language, self.gender) {
            ("en", _) => match (style, self.surname) {
                (Style::Ambassador, Some(name)) => format!("Dear Ambassador {name},"),
                (Style::YourExcellency, _) => "Your Excellency,".into(),
                _ => "Excellency,".into(),
            },
            ("fr", Some(Gender::Female)) => "Madame l'Ambassadrice,".into(),
            ("fr", Some(Gender::Male)) => "Monsieur l'Ambassadeur,".into(),
            ("fr", None) => "Excellence,".into(),
            ("es", _) => "Excelencia:".into(),
            ("ru", _) => "Ваше Превосходительство,".into(),
            ("ar", Some(Gender::Female)) => "سعادة السفيرة،".into(),
            ("ar", Some(Gender::Male)) => "سعادة السفير،".into(),
            ("ar", None) => "أصحاب السعادة،".into(),
            _ => "尊敬的大使阁下：".into(),
        }
    }

    /// An observer need not be an ambassador (the Holy See's is usually an archbishop): only the forms that fit both.
    fn to_an_observer(self, style: Style) -> String {
        match self.language {
            "en" if style == Style::YourExcellency => "Your Excellency,".into(),
            "en" => "Excellency,".into(),
            "fr" => "Excellence,".into(),
            "es" => "Excelencia:".into(),
            "ru" => "Ваше Превосходительство,".into(),
            "ar" => "أصحاب السعادة،".into(),
            _ => "尊敬的常驻观察员阁下：".into(),
        }
    }

    /// Never "Excellency". `None` where the row does not give what the form needs.
    fn to_a_charge(self) -> Option<String> {
        Some(match (self.language, self.gender, self.surname) {
            ("en", Some(Gender::Female), Some(name)) => format!("Dear Ms. {name},"),
            ("en", Some(Gender::Male), Some(name)) => format!("Dear Mr. {name},"),
            ("en", None, Some(name)) => format!("Dear {},", self.name.unwrap_or(name)),
            ("en", _, None) => "Dear Chargé d'affaires,".into(),
            ("fr", Some(Gender::Female), _) => "Madame la Chargée d'affaires,".into(),
            ("fr", Some(Gender::Male), _) => "Monsieur le Chargé d'affaires,".into(),
            ("es", Some(Gender::Female), _) => "Señora Encargada de Negocios:".into(),
            ("es", Some(Gender::Male), _) => "Señor Encargado de Negocios:".into(),
            ("ru", Some(Gender::Female), Some(name)) => format!("Уважаемая госпожа {name},"),
            ("ru", Some(Gender::Male), Some(name)) => format!("Уважаемый господин {name},"),
            _ => return None,
        })
    }

    fn to_the_mission(self) -> String {
        let Some(of) = self.of_state() else { return self.to_an_office() };
        match (self.language, self.is_observer()) {
            ("en", false) => format!("To the Permanent Mission {of},"),
            ("en", true) => format!("To the Permanent Observer Mission {of},"),
            ("fr", false) => format!("À la Mission permanente {of},"),
            ("fr", true) => format!("À la Mission permanente d'observation {of},"),
            ("es", false) => format!("A la Misión Permanente {of}:"),
            ("es", true) => format!("A la Misión Permanente de Observación {of}:"),
            ("ru", false) => format!("В Постоянное представительство {of},"),
            ("ru", true) => format!("В Постоянную миссию наблюдателя {of},"),
            ("ar", false) => format!("إلى البعثة الدائمة {of}،"),
            ("ar", true) => format!("إلى بعثة المراقب الدائم {of}،"),
            (_, false) => format!("致{of}常驻联合国代表团："),
            (_, true) => format!("致{of}常驻联合国观察员代表团："),
        }
    }

    fn to_an_office(self) -> String {
        match (self.language, self.gender, self.name) {
            ("en", _, Some(name)) => format!("Dear {name},"),
            ("en", _, None) => "To whom it may concern,".into(),
            ("fr", Some(Gender::Female), _) => "Madame,".into(),
            ("fr", Some(Gender::Male), _) => "Monsieur,".into(),
            ("fr", None, _) => "Madame, Monsieur,".into(),
            ("es", Some(Gender::Female), Some(name)) => format!("Estimada {name}:"),
            ("es", Some(Gender::Male), Some(name)) => format!("Estimado {name}:"),
            ("es", _, _) => "A quien corresponda:".into(),
            ("ru", _, _) => "Уважаемые дамы и господа,".into(),
            ("ar", _, _) => "تحية طيبة وبعد،".into(),
            _ => "敬启者：".into(),
        }
    }

    /// To whom the letter is addressed, on one line, without punctuation; empty where the row has neither a state nor a
    /// name, and `None` in a language without a table.
    pub(super) fn envelope_line(&self) -> Option<String> {
        if !LANGUAGES.contains(&self.language) {
            return None;
        }
        let Some(of) = self.of_state() else { return Some(self.fallback.unwrap_or_default().to_owned()) };
        let office = self.office(&of);
        let person = self.name.filter(|_| self.rank != Rank::Vacant);
        Some(match (self.language, person) {
            ("en", None) => format!("The {office}"),
            ("zh", Some(name)) => format!("{office} {name}"),
            ("ar", Some(name)) => self.representative_ar(name, &of).unwrap_or_else(|| format!("{name}، {office}")),
            (_, Some(name)) => format!("{name}, {office}"),
            (_, None) => office,
        })
    }

    /// A representative by name: "His Excellency" stands before the person. `None` for others, and without a gender.
    fn representative_ar(&self, name: &str, of: &str) -> Option<String> {
        let gender = self.gender.filter(|_| self.rank == Rank::PermanentRepresentative)?;
        let (style, title) = match gender {
            Gender::Female => ("سعادة السيدة", "الممثلة الدائمة"),
            Gender::Male => ("سعادة السيد", "الممثل الدائم"),
        };
        Some(format!("{style} {name}، {title} {of} لدى الأمم المتحدة"))
    }

    /// What the chargé d'affaires is called on an envelope; `None` where that takes a gender which the row does not give.
    fn charge(&self, of: &str) -> Option<String> {
        let observer = self.is_observer();
        let pick = |one: &'static str, other: &'static str| if observer { one } else { other };
        let title = match (self.language, self.gender?) {
            ("fr", Gender::Female) => "Chargée d'affaires a.i.",
            ("fr", Gender::Male) => "Chargé d'affaires a.i.",
            ("es", Gender::Female) => "Encargada de Negocios a.i.",
            ("es", Gender::Male) => "Encargado de Negocios a.i.",
            ("ar", Gender::Female) => "القائمة بالأعمال بالنيابة",
            ("ar", Gender::Male) => "القائم بالأعمال بالنيابة",
            _ => return None,
        };
        Some(match self.language {
            "fr" => {
                let mission = pick("Mission permanente d'observation", "Mission permanente");
                format!("{title} de la {mission} {of} auprès de l'Organisation des Nations Unies")
            }
            "es" => {
                let mission = pick("Misión Permanente de Observación", "Misión Permanente");
                format!("{title} de la {mission} {of} ante las Naciones Unidas")
            }
            _ => format!("{title}، {} {of} لدى الأمم المتحدة", pick("بعثة المراقب الدائم", "البعثة الدائمة")),
        })
    }

    fn office(&self, of: &str) -> String {
        use Rank::{ChargeDAffaires, PermanentObserver, PermanentRepresentative};
        let observer = self.is_observer();
        if self.rank == ChargeDAffaires
            && let Some(charge) = self.charge(of)
        {
            return charge;
        }
        match (self.language, self.rank, self.gender) {
            ("en", PermanentRepresentative, _) => format!("Permanent Representative {of} to the United Nations"),
            ("en", PermanentObserver, _) => format!("Permanent Observer {of} to the United Nations"),
            ("en", ChargeDAffaires, _) => {
                format!("Chargé d'affaires a.i. of the {} {of} to the United Nations", mission_en(observer))
            }
            ("en", _, _) => format!("{} {of} to the United Nations", mission_en(observer)),
            ("fr", PermanentRepresentative, Some(Gender::Female)) => {
                format!("Représentante permanente {of} auprès de l'Organisation des Nations Unies")
            }
            ("fr", PermanentRepresentative, Some(Gender::Male)) => {
                format!("Représentant permanent {of} auprès de l'Organisation des Nations Unies")
            }
            ("fr", _, _) if observer => {
                format!("Mission permanente d'observation {of} auprès de l'Organisation des Nations Unies")
            }
            ("fr", _, _) => format!("Mission permanente {of} auprès de l'Organisation des Nations Unies"),
            ("es", PermanentRepresentative, _) => format!("Representante Permanente {of} ante las Naciones Unidas"),
            ("es", PermanentObserver, Some(Gender::Female)) => {
                format!("Observadora Permanente {of} ante las Naciones Unidas")
            }
            ("es", PermanentObserver, Some(Gender::Male)) => {
                format!("Observador Permanente {of} ante las Naciones Unidas")
            }
            ("es", _, _) if observer => format!("Misión Permanente de Observación {of} ante las Naciones Unidas"),
            ("es", _, _) => format!("Misión Permanente {of} ante las Naciones Unidas"),
            ("ru", PermanentRepresentative, _) => {
                format!("Постоянный представитель {of} при Организации Объединенных Наций")
            }
            ("ru", PermanentObserver, _) => format!("Постоянный наблюдатель {of} при Организации Объединенных Наций"),
            ("ru", ChargeDAffaires, _) => {
                let mission = if observer {
                    "Постоянной миссии наблюдателя"
                } else {
                    "Постоянного представительства"
                };
                format!("Временный поверенный в делах {mission} {of} при Организации Объединенных Наций")
            }
            ("ru", _, _) if observer => {
                format!("Постоянная миссия наблюдателя {of} при Организации Объединенных Наций")
            }
            ("ru", _, _) => format!("Постоянное представительство {of} при Организации Объединенных Наций"),
            ("ar", PermanentRepresentative, Some(Gender::Female)) => {
                format!("سعادة الممثلة الدائمة {of} لدى الأمم المتحدة")
            }
            ("ar", PermanentRepresentative, Some(Gender::Male)) => {
                format!("سعادة الممثل الدائم {of} لدى الأمم المتحدة")
            }
            ("ar", _, _) if observer => format!("بعثة المراقب الدائم {of} لدى الأمم المتحدة"),
            ("ar", _, _) => format!("البعثة الدائمة {of} لدى الأمم المتحدة"),
            (_, PermanentRepresentative, _) => format!("{of}常驻联合国代表"),
            (_, PermanentObserver, _) => format!("{of}常驻联合国观察员"),
            (_, ChargeDAffaires, _) if observer => format!("{of}常驻联合国观察员代表团临时代办"),
            (_, ChargeDAffaires, _) => format!("{of}常驻联合国代表团临时代办"),
            (_, _, _) if observer => format!("{of}常驻联合国观察员代表团"),
            _ => format!("{of}常驻联合国代表团"),
        }
    }

    /// The close with its punctuation; `None` in a language without a table. Organizations send no notes verbales.
    pub(super) fn close(&self) -> Option<String> {
        let excellency =
            self.state.is_some() && self.rank == Rank::PermanentRepresentative || self.rank == Rank::PermanentObserver;
        let charge = self.rank == Rank::ChargeDAffaires;
        let office = self.state.is_none();
        Some(match (self.language, self.gender) {
            ("en", _) => "Yours sincerely,".into(),
            ("fr", _) => {
                let vocative = match self.gender {
                    Some(Gender::Female) if charge => "Madame la Chargée d'affaires, ",
                    Some(Gender::Male) if charge => "Monsieur le Chargé d'affaires, ",
                    Some(Gender::Female) if excellency && self.rank != Rank::PermanentObserver => {
                        "Madame l'Ambassadrice, "
                    }
                    Some(Gender::Male) if excellency && self.rank != Rank::PermanentObserver => {
                        "Monsieur l'Ambassadeur, "
                    }
                    _ if excellency => "Excellence, ",
                    Some(Gender::Female) if office => "Madame, ",
                    Some(Gender::Male) if office => "Monsieur, ",
                    None if office => "Madame, Monsieur, ",
                    _ => return Some("Veuillez agréer les assurances de notre très haute considération.".into()),
                };
                format!("Veuillez agréer, {vocative}les assurances de notre très haute considération.")
            }
            ("es", _) if excellency => {
                "Le rogamos acepte, Excelencia, las seguridades de nuestra más alta y distinguida consideración.".into()
            }
            ("es", Some(gender)) if charge => {
                let charge = match gender {
                    Gender::Female => "Señora Encargada de Negocios",
                    Gender::Male => "Señor Encargado de Negocios",
                };
                format!("Le rogamos acepte, {charge}, las seguridades de nuestra más alta y distinguida consideración.")
            }
            ("es", _) => "Reciban las seguridades de nuestra más alta y distinguida consideración.".into(),
            ("ru", _) => "С глубоким уважением,".into(),
            ("ar", _) => "وتفضلوا بقبول فائق الاحترام والتقدير،".into(),
            ("zh", _) => "顺致崇高的敬意。".into(),
            _ => return None,
        })
    }

    fn is_observer(&self) -> bool {
        self.rank == Rank::PermanentObserver || self.state.is_some_and(|state| !state.member)
    }

    /// The formal name as it follows "Permanent Mission".
    fn of_state(&self) -> Option<String> {
        super::state_names::of_formal(self.state?, self.language)
    }
}

fn mission_en(observer: bool) -> &'static str {
    if observer { "Permanent Observer Mission" } else { "Permanent Mission" }
}

#[cfg(test)]
#[path = "address_forms_tests.rs"]
mod tests;
