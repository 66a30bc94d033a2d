//! Opening the file: what is not a ledger of ours is refused and left as it is, and durability is asserted, not assumed.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::lock::beside;
use super::schema;

/// Up to this many bytes, the whole file is checked at every open; beyond, that would take longer than a person waits.
const CHECKED_WHOLE: u64 = 32 * 1024 * 1024;

/// How long a reader's checkpoint may hold us up.
const BUSY: Duration = Duration::from_secs(10);

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No file.
    Nothing,
    /// A ledger of ours, of this many bytes.
    Ours(u64),
}

/// Looks at `path` without SQLite, so that nothing is touched.
///
/// # Errors
/// [`LedgerError::Symlink`], [`LedgerError::NotOurs`], [`LedgerError::Orphan`] and what the operating system says.
pub(super) fn look(path: &Path) -> Result<Found, LedgerError> {
    // SQLite opens its own files beside the ledger through a link.
    let besides = ["-wal", "-shm", "-journal"].map(|suffix| beside(path, suffix));
    if let Some(path) = besides.into_iter().find(|beside| beside.is_symlink()) {
        return Err(LedgerError::Symlink { path });
    }
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // An empty log says nothing, and the index (-shm) is made again.
            let says = |suffix| fs::symlink_metadata(beside(path, suffix)).is_ok_and(|meta| meta.len() > 0);
            let orphan = ["-wal", "-journal"].into_iter().find(|suffix| says(suffix));
            return orphan.map_or(Ok(Found::Nothing), |suffix| Err(LedgerError::Orphan { path: beside(path, suffix) }));
        }
        Err(error) => return Err(LedgerError::of_io(&error, path)),
    };
    if meta.file_type().is_symlink() {
        return Err(LedgerError::Symlink { path: path.to_owned() });
    }
    let not_ours = || LedgerError::NotOurs { path: path.to_owned() };
    if !meta.is_file() {
        return Err(not_ours());
    }
    if meta.len() == 0 {
        return Err(LedgerError::Empty { path: path.to_owned() });
    }
    // The file format: a magic string, and the application id at byte 68 (https://sqlite.org/fileformat2.html).
    let mut head = [0; 72];
    let mut file = File::open(path).map_err(|error| LedgerError::of_io(&error, path))?;
    file.rewind().and_then(|()| file.read_exact(&mut head)).map_err(|_| not_ours())?;
    let ours = head.starts_with(b"SQLite format 3\0") && head[68..72] == schema::APPLICATION_ID.to_be_bytes();
    if ours { Ok(Found::Ours(meta.len())) } else { Err(not_ours()) }
}

/// Refuses a file or folder without write permission, whoever asks, a file of several names, and a network file system.
pub(super) fn check_place(path: &Path) -> Result<(), LedgerError> {
    let folder = folder_of(path);
    let locked = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.permissions().readonly());
    if locked(path) || locked(folder) {
        return Err(LedgerError::ReadOnly { path: path.to_owned() });
    }
    if has_another_name(path) {
        return Err(LedgerError::HardLink { path: path.to_owned() });
    }
    let whole = fs::canonicalize(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LedgerError::NoFolder { path: folder.to_owned() },
        _ => LedgerError::of_io(&error, folder),
    })?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    match network_kind_by_type(type_of_file_system(&whole)).or_else(|| network_kind_by_mount(&mounts, &whole)) {
        Some(kind) => Err(LedgerError::Network { path: path.to_owned(), kind: kind.to_owned() }),
        None => Ok(()),
    }
}

/// True if the file at `path` has several names (hard links).
fn has_another_name(path: &Path) -> bool {
    #[cfg(unix)]
    return fs::metadata(path).is_ok_and(|meta| std::os::unix::fs::MetadataExt::nlink(&meta) > 1);
    #[cfg(not(unix))]
    return false;
}

/// `f_type` of statfs(2); 0 where there is no such thing.
#[cfg(target_os = "linux")]
fn type_of_file_system(folder: &Path) -> u32 {
    // The numbers have 32 bits, and come with a sign on some architectures.
    rustix::fs::statfs(folder).ok().and_then(|stat| u32::try_from(stat.f_type & 0xFFFF_FFFF).ok()).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn type_of_file_system(_folder: &Path) -> u32 {
    0
}

/// The network file system of that type (linux/magic.h, statfs(2)).
fn network_kind_by_type(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "nfs",
        0x517B => "smb",
        0xFF53_4D42 => "cifs",
        0xFE53_4D42 => "smb2",
        0x5346_414F | 0x6B41_4653 => "afs",
        0x00C3_6400 => "ceph",
        0x0102_1997 => "9p",
        0x7375_7245 => "coda",
        0x0BD0_0BD0 => "lustre",
        0x0116_1970 => "gfs2",
        0x7461_636F => "ocfs2",
        0x564C => "ncp",
        _ => return None,
    })
}

/// The network file system that `folder` is on, by Linux's table of mounts (proc(5): field 5 is the place, and the kind
/// follows a lone hyphen). It tells file systems in user space apart, which have one type.
fn network_kind_by_mount<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let kinds = mounts.lines().filter_map(|line| {
        let place = line.split(' ').nth(4)?.replace("\\040", " ");
        let kind = line.split_once(" - ")?.1.split(' ').next()?;
        folder.starts_with(&place).then_some((place.len(), kind))
    });
    // Of mounts at one place the last counts, and `max_by_key` gives the last.
    let (_, kind) = kinds.max_by_key(|(length, _)| *length)?;
    let network = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.ceph",
        "fuse.davfs",
        "davfs",
        "fuse.curlftpfs",
        "fuse.gvfsd-fuse",
    ];
    network.contains(&kind).then_some(kind)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Opens the ledger to write; the caller holds the lock.
///
/// # Errors
/// See [`LedgerError`].
pub(super) fn writable(path: &Path, create: bool) -> Result<Connection, LedgerError> {
    let found = look(path)?;
    if found == Found::Nothing {
        if !create {
            return Err(LedgerError::Missing { path: path.to_owned() });
        }
        make(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let at_open = |error: &rusqlite::Error| LedgerError::at_open(error, path);
    let mut connection = Connection::open_with_flags(without_links(path), flags).map_err(|error| at_open(&error))?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Or SQLite compiles a statement again for every other value bound to it, which costs as much as running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(|error| at_open(&error))?;
    schema::migrate(&mut connection)?;
    assert_durable(&connection)?;
    if let Found::Ours(size) = found
        && size <= CHECKED_WHOLE
    {
        check_whole(&connection)?;
    }
    Ok(connection)
}

/// Makes a ledger without rows, which only its owner may read: it will hold addresses. It gets its name when it is whole and
/// on the disk, so that an empty file of that name is never one of ours that was just begun.
fn make(path: &Path) -> Result<(), LedgerError> {
    let new = beside(path, ".new");
    let io = |error: std::io::Error| LedgerError::of_io(&error, path);
    let remove = || {
        // What a run that died left, and SQLite's journal of it.
        for old in [&new, &beside(&new, "-journal")] {
            if let Err(error) = fs::remove_file(old)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        Ok(())
    };
    remove().map_err(io)?;
    let made = begin(&new).and_then(|()| fs::rename(&new, path).and_then(|()| sync_folder(path)).map_err(io));
    if made.is_err() {
        let _ = remove();
    }
    made
}

fn begin(new: &Path) -> Result<(), LedgerError> {
    let io = |error: std::io::Error| LedgerError::of_io(&error, new);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(new).map_err(io)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(without_links(new), flags)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    schema::migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| LedgerError::from(error))?;
    File::open(new).and_then(|file| file.sync_all()).map_err(io)
}

/// No file beside the ledger is opened through a symbolic link: a folder that was handed over must not lead our writes
/// elsewhere, whatever is swapped after we looked.
pub(super) fn not_through_a_link(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        let flag = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flag);
    }
    options
}

/// The path as SQLite takes it with `SQLITE_OPEN_NOFOLLOW`, which refuses a link anywhere on the way: the folder's own
/// path, links resolved, and the name.
fn without_links(path: &Path) -> PathBuf {
    let folder = fs::canonicalize(folder_of(path));
    folder.ok().zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
}

/// Makes a new or removed name in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

fn assert_durable(connection: &Connection) -> Result<(), LedgerError> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).unwrap_or_default();
    if mode != "wal" {
        return Err(LedgerError::NotDurable { what: format!("journal_mode is {mode:?} instead of \"wal\"") });
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000;",
    )?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if synchronous == 2 {
        Ok(())
    } else {
        Err(LedgerError::NotDurable { what: format!("synchronous is {synchronous} instead of 2") })
    }
}

fn check_whole(connection: &Connection) -> Result<(), LedgerError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(LedgerError::Corrupt { what: verdict.lines().last().unwrap_or_default().to_owned() })
    }
}

/// Opens the ledger to read, beside whoever writes.
///
/// # Errors
/// See [`LedgerError`].
pub(super) fn readable(path: &Path) -> Result<Connection, LedgerError> {
    if look(path)? == Found::Nothing {
        return Err(LedgerError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let at_open = |error: &rusqlite::Error| LedgerError::at_open(error, path);
    let connection = Connection::open_with_flags(without_links(path), flags).map_err(|error| at_open(&error))?;
    connection.busy_timeout(BUSY)?;
    let found = schema::version_of(&connection).map_err(|error| at_open(&error))?;
    if found > schema::version() {
        return Err(LedgerError::Newer { found, known: schema::version() });
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_file_system_is_known_by_its_type_whatever_the_mounts_say() {
        let known = [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997].map(network_kind_by_type);
        assert_eq!(known, [Some("nfs"), Some("smb"), Some("cifs"), Some("smb2"), Some("9p")]);
        // ext4, btrfs, xfs, tmpfs, overlayfs, FUSE.
        for local in [0xEF53, 0x9123_683E, 0x5846_5342, 0x0102_1994, 0x794C_7630, 0x6573_5546, 0] {
            assert_eq!(network_kind_by_type(local), None, "{local:x}");
        }
        let folder = tempfile::tempdir().unwrap();
        let here = type_of_file_system(folder.path());
        assert!(here != 0 || !cfg!(target_os = "linux"), "the type of a folder that is there is known");
        check_place(&folder.path().join("ledger.db")).unwrap();
    }

    #[test]
    fn a_network_file_system_is_told_with_its_kind_and_what_to_do() {
        let error = LedgerError::Network { path: "/home/campaign/ledger.db".into(), kind: "nfs".into() };
        assert_eq!(
            error.to_string(),
            "/home/campaign/ledger.db is on a network file system (nfs), where neither locks nor writes can be relied on: put \
             the ledger on a local disk"
        );
    }

    #[test]
    fn a_network_file_system_is_known_by_the_deepest_mount() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      40 22 0:5 / /home rw,relatime shared:1 - nfs4 server:/home rw\n\
                      41 40 8:2 / /home/local\\040disk rw - ext4 /dev/sdb rw\n\
                      42 40 0:6 / /home/far rw - fuse.sshfs server:/ rw\n";
        assert_eq!(network_kind_by_mount(mounts, Path::new("/home/campaign")), Some("nfs4"));
        assert_eq!(network_kind_by_mount(mounts, Path::new("/home/local disk/campaign")), None);
        assert_eq!(network_kind_by_mount(mounts, Path::new("/home/far/away")), Some("fuse.sshfs"));
        assert_eq!(network_kind_by_mount(mounts, Path::new("/homes")), None);
    }
}
