//! The command line as types; no logic.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What `--help` ends with.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  every row settled as accepted or suppressed, or nothing to do
   1  some rows failed
   2  some rows are uncertain: look at them with `demarche status`
  64  wrong usage
  65  bad data: recipients, templates or attachments
  69  the relay is unavailable or refuses us
  70  a defect of this program: please report it
  73  a file cannot be written
  74  a file cannot be read, or the ledger is unusable
  75  some rows are deferred or still queued: `demarche send` goes on when they are due,
      `demarche resend` takes the deferred ones at once
  78  bad config
 Where several of 2, 1 and 75 hold, the first of them.";

/// Merges one letter into per-mission e-mails, sends each exactly as approved and at most once, and knows what became of
/// every one.
#[derive(Debug, Parser)]
#[command(
    name = "demarche",
    version,
    after_help = EXIT_CODES,
    max_term_width = 100,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// The config file; its folder is the campaign folder [default: config.toml]
    #[arg(long, global = true, env = "DEMARCHE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print results and errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print more: -v what happens, -vv the SMTP dialogue without secrets
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Never ask; what would need an answer is an error
    #[arg(long, global = true)]
    pub no_input: bool,
    /// No colour, no bar, ASCII only: for screen readers and simple terminals
    #[arg(long, global = true)]
    pub plain: bool,
    /// Also write what happens to this file, with times; appended to
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// How the log file is written
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", requires = "log_file")]
    pub log_format: LogFormat,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// How `--log-file` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// A line for a person
    #[default]
    Text,
    /// An object a line, for a script
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a campaign folder to start from: config, templates, recipients
    Init(InitArgs),
    /// Read everything, render every letter and report every problem; sends nothing
    Check(CheckArgs),
    /// Dry run: write each letter as a file, with a page to look at them all
    Preview(PreviewArgs),
    /// Send the whole batch into an embedded server on this machine that refuses and drops some of it
    Rehearse(RehearseArgs),
    /// Send one letter per language to yourself through the real relay; never counts as delivery
    Test(TestArgs),
    /// Record that somebody approves the batch as it is in the files now
    Approve(ApproveArgs),
    /// Check, show what would be sent, ask, and send
    Send(SendArgs),
    /// Send again what was deferred or failed, and nothing else
    Resend(ResendArgs),
    /// Show what became of the batch, and what to do next
    Status(StatusArgs),
    /// Show every attempt with the server's words
    Log(LogArgs),
    /// Show what is known of an uncertain row, and record a person's word on it
    Resolve(ResolveArgs),
    /// Write a report of the batch
    Report(ReportArgs),
    /// Run an SMTP server on this machine that keeps each letter as a file, to try `send` with
    Postbox(PostboxArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man(ManArgs),
    /// Explain a command or a topic: exit-codes, config, languages
    Help {
        /// A command or a topic; a list of them if left out
        topic: Option<String>,
    },
}

/// `man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The page of this command
    pub command: Option<String>,
    /// Write every page into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

impl Command {
    /// The sheet of the recipients file that was named.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        let named = match self {
            Self::Init(args) => &args.source,
            Self::Check(args) => &args.source,
            Self::Preview(args) => &args.source,
            Self::Rehearse(args) => &args.source,
            Self::Test(args) => &args.source,
            Self::Send(args) => &args.source,
            Self::Resend(args) => &args.source,
            _ => return None,
        };
        named.sheet.as_deref()
    }
}

/// What every command that reads the recipients file takes.
#[derive(Debug, Default, Args)]
pub struct SourceArgs {
    /// The sheet of a workbook that has the recipients, if several could be meant
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
}

/// `init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder to make
    pub dir: PathBuf,
    /// Write recipients.csv from this list of missions: CSV, .xlsx or .ods, as it comes
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Take the column with this header for that of ours: `to=Courriel`; may be repeated
    #[arg(long, value_name = "OURS=HEADER", requires = "from")]
    pub column: Vec<String>,
    /// What to do about rows that are hidden in the workbook
    #[arg(long, value_name = "WHAT", value_enum, requires = "from")]
    pub hidden: Option<Hidden>,
    /// Do not ask whether the columns were understood
    #[arg(short, long, requires = "from")]
    pub yes: bool,
    /// Where the list is
    #[command(flatten)]
    pub source: SourceArgs,
}

/// What `init --hidden` does about hidden rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Hidden {
    /// Take them like the others
    Keep,
    /// Leave them out
    LeaveOut,
}

/// `check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Also log in to the relay, compare its size limit with each letter, and look at the domains in the DNS
    #[arg(long)]
    pub online: bool,
    /// Ask this DNS server instead of the system's, such as 192.0.2.53:53
    #[arg(long, value_name = "ADDRESS:PORT", requires = "online")]
    pub resolver: Option<std::net::SocketAddr>,
    /// Where the recipients are
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `preview`
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// Where to write [default: preview, in the campaign folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Write only these rows, into preview-only unless --out names a folder; the digest stays that of the whole batch
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Write only N letters that stand for all: each language, rank and remark, the longest, those with an attachment of
    /// their own; the digest stays that of the whole batch
    #[arg(long, value_name = "N", conflicts_with = "only", value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the recipients are
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rehearse`
#[derive(Debug, Args)]
pub struct RehearseArgs {
    /// Which letters meet trouble: the same number, the same result
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// Keep the rehearsal's ledger and the letters that the server took in this folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the recipients are
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Where to send the samples
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
    /// Use this row's letter instead of one row per language
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Where the recipients are
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `approve`
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// What is approved, as `preview` printed it; asks if left out
    pub digest: Option<String>,
    /// Who approves [default: the name of this account on this machine]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// What they have to say
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub note: String,
    /// Take the approval back; it stays on record as withdrawn
    #[arg(long, conflicts_with = "list")]
    pub withdraw: bool,
    /// Record nothing; show who approved what, and what has changed since, letter by letter
    #[arg(long, conflicts_with_all = ["by", "note", "digest"])]
    pub list: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `send`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub struct SendArgs {
    /// Write a preview instead of sending
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Send only if the batch has this digest, as `preview` printed it; does not ask
    #[arg(long, value_name = "DIGEST")]
    pub approve: Option<String>,
    /// Send only these rows
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Send at most so many letters
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Wait until then: RFC 3339, or a time with a zone such as `2021-10-15T09:00[America/New_York]`
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Send although the letters cannot all go out before the event
    #[arg(long)]
    pub late: bool,
    /// Take the letter and the rows as they are in the files now, for everything still to be sent
    #[arg(long)]
    pub refresh: bool,
    /// Send the letters as they were frozen when the campaign began, although the files have changed since
    #[arg(long, conflicts_with = "refresh")]
    pub frozen: bool,
    /// Go on with a ledger that was last used on another machine or is an older copy: nothing may be sent from the other one
    /// any more
    #[arg(long)]
    pub take_over: bool,
    /// Begin a new ledger although letters of this campaign went out from another one on this machine: whoever has the letter
    /// gets it twice
    #[arg(long)]
    pub new_ledger: bool,
    /// Print JSON at the end
    #[arg(long)]
    pub json: bool,
    /// Where the recipients are
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `resend`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub struct ResendArgs {
    /// Show what would be sent again, and send nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Send again only these rows
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Also those whose unchanged address was refused as unknown
    #[arg(long)]
    pub force: bool,
    /// Also uncertain rows: they may arrive twice
    #[arg(long)]
    pub uncertain: bool,
    /// Take the letter and the rows as they are in the files now
    #[arg(long)]
    pub refresh: bool,
    /// Go on with a ledger that was last used on another machine or is an older copy: nothing may be sent from the other one
    /// any more
    #[arg(long)]
    pub take_over: bool,
    /// Print JSON at the end
    #[arg(long)]
    pub json: bool,
    /// Where the recipients are
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `log`
#[derive(Debug, Args)]
pub struct LogArgs {
    /// A row's id, or the name of its state; all rows that were tried if left out
    pub mission: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `resolve`
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The row's id, or the name of its state
    pub mission: String,
    /// It arrived
    #[arg(long, conflicts_with = "not_sent", requires = "note")]
    pub sent: bool,
    /// It did not arrive: it goes out with the next `send`
    #[arg(long, requires = "note")]
    pub not_sent: bool,
    /// How you know
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Whose word it is [default: the name of this account on this machine]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// `report`
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ReportArgs {
    /// Write a page for people
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a table, one line for each address
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write an evidence pack: the report, the ledger's content, and every message as it was handed over. A file that is
    /// there already is not replaced: the digest of its manifest may have been handed on
    #[arg(long, value_name = "FILE.zip")]
    pub pack: Option<PathBuf>,
    /// Check an evidence pack, wherever it comes from; needs no campaign folder
    #[arg(long, value_name = "FILE.zip", conflicts_with_all = ["html", "csv", "pack"])]
    pub verify: Option<PathBuf>,
    /// With --verify: the digest of the pack's manifest, as it was handed on when the pack was made
    #[arg(long, value_name = "MANIFEST-DIGEST", requires = "verify")]
    pub expect: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `postbox`
#[derive(Debug, Args)]
pub struct PostboxArgs {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 2525, value_name = "N")]
    pub port: u16,
    /// Where each letter is kept
    #[arg(long, default_value = "postbox", value_name = "DIR")]
    pub dir: PathBuf,
}
