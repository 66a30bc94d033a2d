//! `postbox`: the embedded server in the foreground, to try a real `send` without leaving the machine.

use crate::cli::PostboxArgs;
use crate::postbox::{Keep, Options, Postbox};

use super::exit::{CANNOT_CREATE, Failure, OK};
use super::{Context, drive};

pub(super) fn run(context: &Context, args: &PostboxArgs) -> Result<u8, Failure> {
    std::fs::create_dir_all(&args.dir).map_err(|error| Failure::cannot_write(&args.dir, &error))?;
    drive::block_on(async {
        let options = Options { port: args.port, keep: Keep::Folder(args.dir.clone()), ..Options::default() };
        let server = Postbox::start(options).await.map_err(|error| {
            Failure::new(CANNOT_CREATE, format!("port {} on 127.0.0.1 cannot be used: {error}", args.port))
                .help("another program has it: name another with --port")
        })?;
        let port = server.address().port();
        context.screen.result(&format!(
            "Listening on 127.0.0.1 port {port}; each letter is kept in {}. Ctrl-C ends it.\n\
             In the config of the campaign to try:\n\n    [smtp]\n    host = \"127.0.0.1\"\n    port = {port}\n    security = \"none\"\n\n\
             All placeholder addresses share one domain: take per_domain out of [pace] for the trial, or it takes its time.\n",
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
                        context.screen.say(&format!("{seen}  {}  {} octets", letter.forward_paths.join(", "), letter.size));
                    }
                }
                _ = signals.next() => break,
            }
        }
        server.stop().await;
        context.screen.say(&format!("{seen} letters in {}.", args.dir.display()));
        Ok(OK)
    })
}
