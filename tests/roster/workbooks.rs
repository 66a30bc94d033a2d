//! Workbooks as they come: which sheet, which rows, what lies behind the texts, and what is refused.

use crate::common::options;
use crate::make::{self, Ods, archive, xlsx};
use demarche::diagnostic::{Severity, any_error};
use demarche::domain::audience::Audience;
use demarche::domain::recipient::Recipient;
use demarche::roster::{self, HiddenRows, Options, Roster};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Url, Workbook};

fn workbook_options() -> Options {
    Options { file: "missions.xlsx".into(), audience: Audience::Any, ..options() }
}

fn read(bytes: &[u8]) -> Roster {
    roster::read(bytes, &workbook_options())
}

/// Everything a person reads, but for the warning of placeholders and the columns that were known.
fn told(roster: &Roster) -> String {
    let quiet = |code: &str| matches!(code, "placeholders" | "columns-taken");
    roster.diagnostics.iter().filter(|d| !quiet(d.code)).map(|d| d.render(false)).collect::<Vec<_>>().join("\n")
}

fn addresses(roster: &Roster) -> Vec<String> {
    let row = |r: &Recipient| {
        let to: Vec<String> = r.to.iter().map(ToString::to_string).collect();
        format!("{} {} {}", r.line, r.id, to.join(" "))
    };
    roster.rows.iter().map(|row_| row(&row_.recipient)).collect()
}

#[test]
fn a_plain_workbook_gives_the_rows_of_the_same_csv() {
    let rows = [
        ["Pays", "Courriel", "Fonction"],
        ["Côte d’Ivoire", "a@m.example; b@m.example", "PR"],
        ["Kenya", "ke@m.example", ""],
    ];
    let text: String = rows.iter().map(|row| row.join("\t") + "\n").collect();
    let csv = roster::read(text.as_bytes(), &workbook_options());
    assert_eq!(csv.rows.len(), 2);
    assert_eq!(read(&xlsx(&rows)).rows, csv.rows);
    assert_eq!(read(&Ods::of("Missions", &rows).bytes()).rows, csv.rows);
}

#[test]
fn a_problem_is_shown_at_its_cell() {
    let rows = [["Pays", "Courriel"], ["Korea", "n/a"]];
    insta::assert_snapshot!(told(&read(&xlsx(&rows))), @r#"
    error[state-ambiguous]: "Korea" could be several states
     --> missions.xlsx:Sheet1!A2
      |
    2 | Korea | n/a
      | ^^^^^
      |
      = help: write "Democratic People's Republic of Korea" (PRK) or "Republic of Korea" (KOR)

    error[address-invalid]: "n/a" is not an e-mail address
     --> missions.xlsx:Sheet1!B2
      |
    2 | Korea | n/a
      |         ^^^
      |
      = help: there is no address to write to: find it, or take the row out ("cc" and "bcc" may be empty)
    "#);
}

#[test]
fn titles_merged_cells_and_names_of_groups_are_read_as_people_mean_them() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("All missions").expect("a name");
    let plain = Format::new();
    sheet.merge_range(0, 0, 0, 3, "Permanent missions to the United Nations", &plain).expect("merged");
    sheet.merge_range(2, 0, 3, 0, "Country", &plain).expect("merged");
    sheet.merge_range(2, 1, 2, 2, "Contact", &plain).expect("merged");
    for (column, text) in [(1, "E-mail"), (2, "Phone")] {
        sheet.write(3, column, text).expect("written");
    }
    sheet.merge_range(4, 0, 4, 2, "African Group", &plain).expect("merged");
    make::rows(sheet, 5, &[["Ghana", "gh@m.example", "1"], ["", "", ""], ["", "second@m.example", "3"]]);
    sheet.merge_range(5, 0, 7, 0, "Ghana", &plain).expect("merged");
    sheet.merge_range(8, 1, 8, 2, "ke@m.example", &plain).expect("merged");
    sheet.write(8, 0, "Kenya").expect("written");
    let roster = read(&workbook.save_to_buffer().expect("saved"));
    assert_eq!(addresses(&roster), ["6 GHA gh@m.example", "9 KEN ke@m.example"]);
    insta::assert_snapshot!(told(&roster), @r#"
    note[above-header]: rows 1 and 3 stand above the header and were passed over: "Permanent missions to the United Nations", "Country" and "Contact"
    --> missions.xlsx

    note[title-rows]: row 5: one text over several columns, taken for a title
    --> missions.xlsx

    error[id-doubled]: Ghana has two rows, rows 6 and 8, both with the id GHA
     --> missions.xlsx:'All missions'!A8
      |
    8 | Ghana | second@m.example | 3
      | ^^^^^
      |
      = help: take one out, or give one a name of its own in a column "id"
    "#);
}

#[test]
fn hidden_rows_are_asked_about_and_hidden_columns_are_told() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    make::rows(
        sheet,
        0,
        &[
            ["state", "to", "cc"],
            ["Kenya", "ke@m.example", ""],
            ["Malta", "mt@m.example", ""],
            ["Chad", "td@m.example", ""],
            ["Peru", "pe@m.example", ""],
            ["Cuba", "cu@m.example", "x@m.example"],
        ],
    );
    for row in [2, 3, 5, 40] {
        sheet.set_row_hidden(row).expect("hidden");
    }
    sheet.set_column_hidden(2).expect("hidden");
    let bytes = workbook.save_to_buffer().expect("saved");
    let roster = read(&bytes);
    insta::assert_snapshot!(told(&roster), @r#"
    warning[columns-hidden]: 1 column is hidden, and read like the others: C
    --> missions.xlsx
     = help: show them in a spreadsheet program, and see whether they are meant

    error[rows-hidden]: 3 rows are hidden in the sheet Sheet1: 3 to 4 and 6
    --> missions.xlsx
     = help: clear the filter or show the rows if the missions in them are to get the letter; delete the rows if not
    "#);
    let kept = roster::read(&bytes, &Options { hidden_rows: HiddenRows::Keep, ..workbook_options() });
    assert_eq!((kept.rows.len(), any_error(&kept.diagnostics)), (5, false));
    let left_out = roster::read(&bytes, &Options { hidden_rows: HiddenRows::LeaveOut, ..workbook_options() });
    assert_eq!(addresses(&left_out), ["2 KEN ke@m.example", "5 PER pe@m.example"]);
    for roster in [kept, left_out] {
        assert!(roster.diagnostics.iter().any(|d| d.code == "rows-hidden" && d.severity == Severity::Warning));
    }
}

#[test]
fn the_sheet_with_addresses_is_read_and_the_others_are_named() {
    let mut workbook = Workbook::new();
    make::rows(workbook.add_worksheet().set_name("Read me").expect("a name"), 0, &[["How to use this file", "x"]]);
    make::rows(
        workbook.add_worksheet().set_name("Missions").expect("a name"),
        0,
        &[["state", "to"], ["Kenya", "ke@m.example"]],
    );
    let old = workbook.add_worksheet().set_name("2020").expect("a name");
    make::rows(old, 0, &[["state", "to"], ["Kenya", "old@m.example"]]);
    old.set_hidden(true);
    let bytes = workbook.save_to_buffer().expect("saved");
    let roster = read(&bytes);
    assert_eq!(addresses(&roster), ["2 KEN ke@m.example"]);
    insta::assert_snapshot!(told(&roster), @r#"
    note[sheet-taken]: sheet "Missions" is read, since it alone has a column of addresses; not read: "Read me" and "2020" (hidden)
    --> missions.xlsx
     = help: --sheet NAME reads another
    "#);
    let named = |name: &str| roster::read(&bytes, &Options { sheet: Some(name.into()), ..workbook_options() });
    assert_eq!(addresses(&named("2020")), ["2 KEN old@m.example"]);
    assert_eq!(addresses(&named("missions")), ["2 KEN ke@m.example"]);
    insta::assert_snapshot!(told(&named("2019")), @r#"
    error[sheet-missing]: missions.xlsx has no sheet "2019"
    --> missions.xlsx
     = help: there are "Read me", "Missions" and "2020"
    "#);
}

#[test]
fn several_sheets_with_addresses_are_not_chosen_from() {
    let mut workbook = Workbook::new();
    for name in ["New York", "Geneva"] {
        make::rows(
            workbook.add_worksheet().set_name(name).expect("a name"),
            0,
            &[["state", "to"], ["Kenya", "ke@m.example"]],
        );
    }
    let roster = read(&workbook.save_to_buffer().expect("saved"));
    assert!(roster.rows.is_empty());
    insta::assert_snapshot!(told(&roster), @r#"
    error[sheet-unclear]: missions.xlsx has several sheets with addresses: "New York" and "Geneva"
    --> missions.xlsx
     = help: say which is meant: --sheet 'New York', or sheet = "New York" under [recipients] in the config
    "#);
}

#[test]
fn links_behind_words_are_addresses_and_links_that_differ_are_told() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    make::rows(
        sheet,
        0,
        &[
            ["state", "to", "name"],
            ["Kenya", "", ""],
            ["Malta", "", ""],
            ["Chad", "", ""],
            ["Peru", "", ""],
            ["Cuba", "", ""],
        ],
    );
    let link = |target: &str, text: &str| Url::new(target).set_text(text);
    sheet.write(1, 1, link("mailto:ke%40m.example?subject=Hello%20there", "Write to us")).expect("written");
    sheet.write(2, 1, link("mailto:old@m.example", "mt@m.example")).expect("written");
    sheet.write(3, 1, link("https://chad.example/contact", "see website")).expect("written");
    sheet.write(3, 2, link("mailto:secretary@m.example", "Amb. X")).expect("written");
    sheet
        .write(4, 1, Formula::new("HYPERLINK(\"mailto:pe@m.example\",\"Mission\")").set_result("Mission"))
        .expect("written");
    sheet.write(5, 1, link("mailto:cu@m.example", "n/a")).expect("written");
    let roster = read(&workbook.save_to_buffer().expect("saved"));
    assert_eq!(
        addresses(&roster),
        ["2 KEN ke@m.example", "3 MLT mt@m.example", "5 PER pe@m.example"],
        "{}",
        told(&roster)
    );
    insta::assert_snapshot!(told(&roster), @r#"
    note[link-used]: rows 2 and 5: the address was taken from the link behind the text
    --> missions.xlsx

    warning[link-differs]: the text says mt@m.example, the link behind it old@m.example; the text is taken
     --> missions.xlsx:Sheet1!B3
      |
    3 | Malta | mt@m.example | 
      |         ^^^^^^^^^^^^
      |
      = help: find out which is right, write it, and take the link out

    error[address-invalid]: "see website" is not an e-mail address
     --> missions.xlsx:Sheet1!B4
      |
    4 | Chad | see website | Amb. X
      |        ^^^^^^^^^^^
      |
      = help: there is no address to write to: find it, or take the row out ("cc" and "bcc" may be empty)

    error[address-invalid]: "n/a" is not an e-mail address
     --> missions.xlsx:Sheet1!B6
      |
    6 | Cuba | n/a | 
      |        ^^^
      |
      = help: there is no address to write to: find it, or take the row out ("cc" and "bcc" may be empty)
    "#);
}

#[test]
fn dates_numbers_and_formulas_are_read_as_their_values() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    make::rows(sheet, 0, &[["state", "to", "verified_on", "floor", "open"], ["Kenya", "", "", "", ""]]);
    sheet.write(1, 1, Formula::new("LOWER(\"KE@M.EXAMPLE\")").set_result("ke@m.example")).expect("written");
    let date = ExcelDateTime::from_ymd(2021, 8, 30).expect("a date");
    sheet.write_with_format(1, 2, &date, &Format::new().set_num_format("d mmm yyyy")).expect("written");
    sheet.write(1, 3, 14).expect("written");
    sheet.write(1, 4, true).expect("written");
    let roster = read(&workbook.save_to_buffer().expect("saved"));
    assert_eq!(told(&roster), "");
    let row = &roster.rows[0].recipient;
    assert_eq!((row.to[0].address(), row.verified_on), ("ke@m.example".into(), Some(jiff::civil::date(2021, 8, 30))));
    assert_eq!((row.columns["floor"].as_str(), row.columns["open"].as_str()), ("14", "true"));
}

#[test]
fn errors_and_formulas_without_a_result_are_complained_of() {
    let sheet = r#"<sheetData>
      <row r="1"><c r="A1" t="inlineStr"><is><t>state</t></is></c><c r="B1" t="inlineStr"><is><t>to</t></is></c><c r="C1" t="inlineStr"><is><t>floor</t></is></c></row>
      <row r="2"><c r="A2" t="inlineStr"><is><t>Kenya</t></is></c><c r="B2" t="e"><f>VLOOKUP(A2,X!A:B,2)</f><v>#N/A</v></c><c r="C2" t="e"><v>#DIV/0!</v></c></row>
      <row r="3"><c r="A3" t="inlineStr"><is><t>Malta</t></is></c><c r="B3"><f>LOWER(C3)</f></c></row>
    </sheetData>"#;
    let roster = read(&make::raw_xlsx(sheet));
    assert!(roster.rows.is_empty());
    insta::assert_snapshot!(told(&roster), @r##"
    error[cell-error]: this cell holds the error #N/A
     --> missions.xlsx:Sheet1!B2
      |
    2 | Kenya | #N/A | #DIV/0!
      |         ^^^^
      |
      = help: mend the formula, or write the text itself

    warning[cell-error]: this cell holds the error #DIV/0!
     --> missions.xlsx:Sheet1!C2
      |
    2 | Kenya | #N/A | #DIV/0!
      |                ^^^^^^^
      |
      = help: mend the formula, or write the text itself

    error[cell-uncomputed]: this cell holds the formula =LOWER(C3), and its result was not saved
     --> missions.xlsx:Sheet1!B3
      |
    3 | Malta | =LOWER(C3) | 
      |         ^^^^^^^^^^
      |
      = help: open the file in a spreadsheet program and save it again, or write the text itself
    "##);
}

#[test]
fn an_ods_tells_as_much_as_an_xlsx() {
    let ods = Ods::with(
        r#"
      <table:table table:name="Missions">
        <table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>
        <table:table-row><table:table-cell table:number-columns-spanned="3" office:value-type="string"><text:p>Missions</text:p></table:table-cell><table:covered-table-cell table:number-columns-repeated="2"/></table:table-row>
        <table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"/></table:table-row>
        <table:table-row><table:table-cell office:value-type="string"><text:p>Country</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>E-mail</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>verified_on</text:p></table:table-cell></table:table-row>
        <table:table-row><table:table-cell office:value-type="string"><text:p>Kenya</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p><text:a xlink:href="mailto:ke@m.example">Write</text:a></text:p></table:table-cell><table:table-cell office:value-type="date" office:date-value="2021-08-30"><text:p>30.8.21</text:p></table:table-cell></table:table-row>
        <table:table-row table:visibility="filter"><table:table-cell office:value-type="string"><text:p>Malta</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>mt@m.example</text:p></table:table-cell></table:table-row>
        <table:table-row><table:table-cell office:value-type="string"><text:p>Chad</text:p></table:table-cell><table:table-cell office:value-type="string" calcext:value-type="error" table:formula="of:=[.X1]" office:string-value=""><text:p>#N/A</text:p></table:table-cell></table:table-row>
        <table:table-row><table:table-cell office:value-type="string"><text:p>Peru</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p><text:a xlink:href="mailto:old@m.example">pe@m.example</text:a></text:p></table:table-cell></table:table-row>
        <table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
      </table:table>"#,
    );
    let roster = read(&ods.bytes());
    assert_eq!(addresses(&roster), ["5 KEN ke@m.example", "6 MLT mt@m.example", "8 PER pe@m.example"]);
    assert_eq!(roster.rows[0].recipient.verified_on, Some(jiff::civil::date(2021, 8, 30)));
    insta::assert_snapshot!(told(&roster), @r#"
    warning[columns-hidden]: 1 column is hidden, and read like the others: B
    --> missions.xlsx
     = help: show them in a spreadsheet program, and see whether they are meant

    error[rows-hidden]: 1 row is hidden in the sheet Missions: 6
    --> missions.xlsx
     = help: clear the filter or show the rows if the missions in them are to get the letter; delete the rows if not

    note[above-header]: row 1 stands above the header and was passed over: "Missions"
    --> missions.xlsx

    note[link-used]: row 5: the address was taken from the link behind the text
    --> missions.xlsx

    error[cell-error]: this cell holds the error #N/A
     --> missions.xlsx:Missions!B7
      |
    7 | Chad | #N/A | 
      |        ^^^^
      |
      = help: mend the formula, or write the text itself

    warning[link-differs]: the text says pe@m.example, the link behind it old@m.example; the text is taken
     --> missions.xlsx:Missions!B8
      |
    8 | Peru | pe@m.example | 
      |        ^^^^^^^^^^^^
      |
      = help: find out which is right, write it, and take the link out
    "#);
}

#[test]
fn what_is_no_workbook_that_can_be_read_is_called_by_its_name() {
    let locked = archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", "<a/>"),
        (
            "META-INF/manifest.xml",
            "<manifest:manifest xmlns:manifest=\"m\"><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>",
        ),
    ]);
    for (bytes, code, word) in [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "workbook-old", ".xls"),
        (b"PK\x03\x04 and then nothing".to_vec(), "workbook-unreadable", "damaged"),
        (archive(&[("word/document.xml", "<a/>")]), "not-csv", "Word"),
        (archive(&[("xl/workbook.bin", "x")]), "not-csv", ".xlsb"),
        (archive(&[("letter.txt", "x")]), "not-csv", "archive"),
        (
            archive(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "<a/>")]),
            "not-csv",
            "another kind",
        ),
        (locked, "workbook-locked", "password"),
        (xlsx::<0>(&[]), "file-empty", "nothing in any sheet"),
    ] {
        let roster = read(&bytes);
        assert_eq!(roster.diagnostics.len(), 1, "{code}: {:?}", roster.diagnostics);
        let found = &roster.diagnostics[0];
        assert_eq!(found.code, code, "{found:?}");
        assert!(found.message.contains(word) && found.help.is_some(), "{found:?}");
    }
}

#[test]
fn a_sheet_is_asked_of_a_csv_in_vain() {
    let found =
        roster::read(b"state,to\nKenya,a@b.int\n", &Options { sheet: Some("Missions".into()), ..workbook_options() });
    assert_eq!(found.diagnostics[0].code, "sheet-missing");
}

mod bombs {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        let roster = read(bytes);
        assert!(roster.rows.is_empty());
        assert_eq!(roster.diagnostics.len(), 1, "{:?}", roster.diagnostics);
        assert_eq!(roster.diagnostics[0].code, "workbook-too-large", "{:?}", roster.diagnostics[0]);
        roster.diagnostics[0].message.clone()
    }

    #[test]
    fn a_workbook_that_unpacks_to_far_more_than_it_is_is_refused() {
        let bytes = archive(&[("xl/workbook.xml", "<a/>"), ("xl/worksheets/sheet1.xml", &" ".repeat(129 << 20))]);
        assert!(bytes.len() < 1 << 20, "a bomb is small: {}", bytes.len());
        assert!(refused(&bytes).contains("unpacks to more than 134 MB"));
        let parts: Vec<(String, String)> = (0..30).map(|n| (format!("part{n}"), " ".repeat(5 << 20))).collect();
        let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert!(refused(&archive(&parts)).contains("unpacks to more than 134 MB"));
    }

    #[test]
    fn a_size_that_the_archive_only_claims_is_not_believed() {
        let mut bytes = archive(&[("xl/workbook.xml", &" ".repeat(129 << 20))]);
        let claimed = u32::try_from(129 << 20).expect("small").to_le_bytes();
        let places: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..at + 4] == claimed).collect();
        assert_eq!(places.len(), 2, "in the entry's own header and in the directory");
        for at in places {
            bytes[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
        }
        let roster = read(&bytes);
        assert!(roster.rows.is_empty());
        assert!(["workbook-too-large", "workbook-unreadable"].contains(&roster.diagnostics[0].code));
    }

    #[test]
    fn too_many_parts_are_refused() {
        let names: Vec<String> = (0..5_000).map(|n| format!("part{n}")).collect();
        let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        assert!(refused(&archive(&parts)).contains("5000 parts"));
    }

    #[test]
    fn two_cells_at_the_corners_of_a_sheet_are_two_cells() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        make::rows(sheet, 0, &[["state", "to"], ["Kenya", "ke@b.int"]]);
        sheet.write(1_048_575, 16_383, "x").expect("written");
        let roster = read(&workbook.save_to_buffer().expect("saved"));
        assert_eq!(roster.diagnostics.last().map(|d| d.code), Some("address-missing"), "{:?}", roster.diagnostics);
        assert_eq!(addresses(&roster), ["2 KEN ke@b.int"]);
    }

    #[test]
    fn a_sheet_that_is_sparse_and_vast_is_refused() {
        let column = (1..=3_000)
            .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\"><v>1</v></c></row>"))
            .collect::<Vec<_>>()
            .concat();
        let wide: String = (0..2_000).map(|_| "<c><v>1</v></c>").collect();
        let sheet = format!("<sheetData>{column}<row r=\"5000\">{wide}</row></sheetData>");
        assert!(refused(&make::raw_xlsx(&sheet)).contains("more cells"));
    }

    #[test]
    fn a_count_of_texts_that_there_are_not_is_refused() {
        let strings = "<sst uniqueCount=\"9223372036854775807\"/>";
        let bytes = make::raw_xlsx_with("<sheetData/>", &[("xl/sharedStrings.xml", strings)]);
        assert!(refused(&bytes).contains("more texts"));
    }

    #[test]
    fn one_text_that_many_cells_share_is_counted_for_each() {
        let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(30_000));
        let row = |row| format!("<row r=\"{row}\"><c t=\"s\"><v>0</v></c></row>");
        let cells = (1..=3_000).map(row).collect::<Vec<_>>().concat();
        let bytes =
            make::raw_xlsx_with(&format!("<sheetData>{cells}</sheetData>"), &[("xl/sharedStrings.xml", &strings)]);
        assert!(refused(&bytes).contains("more text"));
    }

    #[test]
    fn one_font_that_many_formats_share_is_refused() {
        let styles = format!(
            "<styleSheet><fonts><font><name val=\"{}\"/></font></fonts><cellXfs>{}</cellXfs></styleSheet>",
            "x".repeat(100_000),
            "<xf fontId=\"0\"/>".repeat(5_000)
        );
        let bytes = make::raw_xlsx_with("<sheetData/>", &[("xl/styles.xml", &styles)]);
        assert!(refused(&bytes).contains("more cell formats"));
    }

    #[test]
    fn a_cell_that_stands_for_millions_is_refused() {
        let cell = "<table:table-cell table:number-columns-repeated=\"16000\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell>";
        let row = format!("<table:table-row table:number-rows-repeated=\"1000000\">{cell}</table:table-row>");
        assert!(
            refused(&Ods::with(&format!("<table:table table:name=\"A\">{row}</table:table>")).bytes())
                .contains("more cells")
        );
        let blanks = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>a<text:s text:c=\"4000000000\"/></text:p></table:table-cell></table:table-row>";
        assert!(
            refused(&Ods::with(&format!("<table:table table:name=\"A\">{blanks}</table:table>")).bytes())
                .contains("more text")
        );
    }

    #[test]
    fn a_part_that_ends_in_the_middle_is_not_waited_for() {
        for content in [
            "<office:document-content><table:table table:name=\"A\"><table:table-row>",
            "<a><table:table table:name=\"A\"><table:table-row><table:table-cell office:value-type=\"string\"><office:annotation>",
        ] {
            let roster = read(&Ods::raw(content).bytes());
            assert_eq!(roster.diagnostics[0].code, "workbook-unreadable");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 256, ..Default::default() })]
    #[test]
    fn no_change_of_a_few_bytes_makes_the_reader_panic(
        changes in proptest::collection::vec((0_usize..100_000, proptest::num::u8::ANY), 1..6),
        ods in proptest::bool::ANY,
    ) {
        let rows = [["Pays", "Courriel"], ["Kenya", "ke@m.example"], ["Malta", "mt@m.example"]];
        let parts = if ods { Ods::of("A", &rows).parts() } else { make::parts_of(&xlsx(&rows)) };
        let mut parts = parts;
        for (at, byte) in changes {
            let count = parts.len();
            let part = &mut parts[at % count].1;
            if !part.is_empty() {
                let place = at / count % part.len();
                part[place] = byte;
            }
        }
        let roster = read(&make::archive_of(&parts));
        for diagnostic in &roster.diagnostics {
            proptest::prop_assert!(!diagnostic.render(true).is_empty());
        }
    }
}
