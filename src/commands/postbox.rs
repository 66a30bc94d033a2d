//! `postbox`: the embedded server in the foreground, to try a real `send` without leaving the machine.

use crate::cli::PostboxArgs;
use crate::domain::size::size;
use crate::postbox::{Keep, Options, Postbox};

use super::exit::{CANNOT_CREATE, Failure, OK};
use super::{Context, drive};

pub(super) fn run(context: &Context, args: &PostboxArgs) -> Result<u8, Failure> {
    std::fs::create_dir_all(&args.dir).map_err(|error| Failure::cannot_write(&args.dir, &error))?;
    drive::block_on(async {
        let options = Options { port: args.port, keep: Keep::Folder(args.dir.clone()), ..Options::default() };
        let server = Postbox::start(options).await.map_err(|error| {
            Failure::new(CANNOT_CREATE, format!("port {} on 127.0.0.1 cannot be used: {error}", args.port)).help(
                match error.kind() {
                    std::io::ErrorKind::PermissionDenied => {
                        "ports below 1024 are the system's: name another with --port"
                    }
                    _ => "another program has it: name another with --port",
                },
            )
        })?;
        let port = server.address().port();
        context.screen.result_in_sentences(&format!(
            "A mail server for trials runs on this machine, 127.0.0.1 port {port}. Nothing leaves the machine: each letter becomes \
             a file in {}. Ctrl-C ends it.\n\n\
             To send to it, put these three lines into [smtp] of config.toml, in place of its host, port and security; take out \
             username and password:\n\n\
             \u{20}   host = \"127.0.0.1\"\n    port = {port}\n    security = \"none\"\n\n\
             Take per_domain out of [pace] for the trial, because all placeholder addresses share one domain. Then, in another \
             terminal: `demarche send`\n",
            args.dir.display()
        ));
        let truth = server.truth();
        let mut seen = 0;
        let mut signals = drive::Signals::new()?;
        loop {
            tokio::select! {
                () = truth.wait_for(seen + 1) => {
                    for letter in truth.accepted().into_iter().skip(seen) {
                        seen += 1;
                        context.screen.say(&format!("{seen}  {}  {}", letter.forward_paths.join(", "), size(letter.size as u64)));
                    }
                }
                _ = signals.next() => break,
            }
        }
        server.stop().await;
        let noun = if seen == 1 { "letter" } else { "letters" };
        context.screen.say(&format!("{seen} {noun} taken, in {}.", args.dir.display()));
        Ok(OK)
    })
}
