//! What would end the program in the middle of a write.

use tokio::signal::unix::{SignalKind, signal};

/// SIGXFSZ on Linux, macOS and the BSDs.
const FILE_SIZE_EXCEEDED: i32 = 25;

/// A file that grows beyond `ulimit -f` ends a process by a signal, before it could say so, and before an outcome that is
/// known could go to the emergency journal. Once the signal is caught, the write fails as on a full disk.
pub(super) fn survive_file_size_limit() {
    if cfg!(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")) {
        // The number means another signal there.
        return;
    }
    // The handler outlives the runtime that it is registered with. Without one, all is as it was.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let _in_runtime = runtime.enter();
    let _ = signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED));
}
