//! What is not a ledger that can be used is refused in its own words, and left as it is.

use std::fs;

use demarche::ledger::{Ledger, LedgerError, Reader};

use crate::support::{Desk, edition, row};

fn refused(desk: &Desk) -> (LedgerError, LedgerError) {
    let before = fs::read(desk.path()).ok();
    let errors = (Ledger::open(&desk.path(), true, "send").unwrap_err(), Reader::open(&desk.path()).unwrap_err());
    assert_eq!(fs::read(desk.path()).ok(), before, "left as it is");
    errors
}

/// A ledger with one row, closed.
fn closed() -> Desk {
    let (desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"])]);
    drop(ledger);
    desk
}

#[test]
fn a_second_terminal_is_told_who_holds_the_ledger_and_can_read_meanwhile() {
    let (desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"])]);
    let error = Ledger::open(&desk.path(), true, "resend").unwrap_err();
    let LedgerError::Locked { holder } = &error else { panic!("{error}") };
    assert!(holder.contains(&std::process::id().to_string()) && holder.contains("demarche send"), "{holder}");
    assert_eq!(Reader::open(&desk.path()).unwrap().counts().unwrap().queued, 1);
    drop(ledger);
    Ledger::open(&desk.path(), false, "resend").unwrap();
}

#[test]
fn a_missing_ledger_is_made_only_where_that_was_asked() {
    let desk = Desk::new();
    assert_eq!(Ledger::open(&desk.path(), false, "resend").unwrap_err(), LedgerError::Missing { path: desk.path() });
    assert_eq!(Reader::open(&desk.path()).unwrap_err(), LedgerError::Missing { path: desk.path() });
    assert_eq!(fs::read_dir(desk.folder.path()).unwrap().count(), 0, "not even a lock is made");
}

#[test]
fn a_file_that_is_no_sqlite_and_a_sqlite_file_of_others_are_not_ours() {
    let desk = Desk::new();
    let not_ours = LedgerError::NotOurs { path: desk.path() };
    fs::write(desk.path(), "name,address\n".repeat(50)).unwrap();
    assert_eq!(refused(&desk), (not_ours.clone(), not_ours.clone()));
    fs::remove_file(desk.path()).unwrap();
    rusqlite::Connection::open(desk.path()).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert_eq!(refused(&desk), (not_ours.clone(), not_ours.clone()));
    fs::remove_file(desk.path()).unwrap();
    fs::create_dir(desk.path()).unwrap();
    assert_eq!(refused(&desk), (not_ours.clone(), not_ours));
}

#[test]
fn a_newer_ledger_is_left_to_the_newer_program() {
    let desk = closed();
    rusqlite::Connection::open(desk.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = |error| matches!(error, LedgerError::Newer { found: 99, .. });
    let (to_write, to_read) = refused(&desk);
    assert!(newer(to_write) && newer(to_read));
}

#[test]
fn a_damaged_ledger_is_refused() {
    let desk = closed();
    let mut bytes = fs::read(desk.path()).unwrap();
    // All but the first page, which holds the header.
    for byte in &mut bytes[4096..] {
        *byte = 0xA5;
    }
    fs::write(desk.path(), bytes).unwrap();
    let error = Ledger::open(&desk.path(), true, "send").unwrap_err();
    assert!(matches!(error, LedgerError::Corrupt { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_refused_for_the_ledger_and_for_its_lock() {
    let desk = closed();
    let link = desk.folder.path().join("link.db");
    std::os::unix::fs::symlink(desk.path(), &link).unwrap();
    let symlink = LedgerError::Symlink { path: link.clone() };
    assert_eq!(Ledger::open(&link, true, "send").unwrap_err(), symlink);
    assert_eq!(Reader::open(&link).unwrap_err(), symlink);
    let lock = desk.folder.path().join("ledger.db.lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(desk.path(), &lock).unwrap();
    assert_eq!(Ledger::open(&desk.path(), true, "send").unwrap_err(), LedgerError::Symlink { path: lock });
}

#[test]
fn a_read_only_ledger_is_refused_to_write_and_can_be_read() {
    let desk = closed();
    let mut permissions = fs::metadata(desk.path()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(desk.path(), permissions).unwrap();
    let error = Ledger::open(&desk.path(), true, "send").unwrap_err();
    assert_eq!(error, LedgerError::ReadOnly { path: desk.path() });
    assert_eq!(Reader::open(&desk.path()).unwrap().counts().unwrap().queued, 1);
}

#[test]
fn a_ledger_of_another_campaign_takes_no_rows() {
    let desk = closed();
    let ledger = desk.open();
    let error = ledger.enrol("other", &edition("one"), vec![row("fra", &["to@fra.test"])]).unwrap_err();
    assert_eq!(error, LedgerError::OtherCampaign { found: "campaign".into(), given: "other".into() });
    assert_eq!(ledger.reader().unwrap().counts().unwrap().total(), 1);
}

#[cfg(unix)]
#[test]
fn a_new_ledger_is_readable_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = closed();
    assert_eq!(fs::metadata(desk.path()).unwrap().permissions().mode() & 0o777, 0o600);
}
