//! Ctrl-C, a hang-up or a polite kill: training finishes its step and saves; anything else ends at
//! once, and takes away what is half-written.

use crate::files;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit status of what was interrupted, as shells expect it.
pub const STATUS: u8 = 130;

/// Whether somebody asked to stop.
static STOP: AtomicBool = AtomicBool::new(false);
/// Whether work is under way that looks at [`STOP`].
static HEARD: AtomicBool = AtomicBool::new(false);

/// While it lives, an interrupt sets a flag and does not end the process; a second one does.
pub struct Listening;

/// Begins to listen.
pub fn listen() -> Listening {
    HEARD.store(true, Ordering::SeqCst);
    Listening
}

impl Listening {
    /// Set by an interrupt.
    pub fn flag(&self) -> &'static AtomicBool {
        &STOP
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        HEARD.store(false, Ordering::SeqCst);
    }
}

/// Installs the handler.
pub fn handle() {
    let handler = || {
        if HEARD.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst) {
            super::tell("\nlegato: finishing the step and saving; once more ends at once");
            return;
        }
        files::remove_unfinished();
        super::tell("\nlegato: interrupted; nothing half-written is left");
        end();
    };
    // Without a handler an interrupt still ends the process; only temporary folders then stay.
    if let Err(error) = ctrlc::set_handler(handler) {
        log::info!("no handler for interrupts: {error}");
    }
}

/// Ends the process as it stands. To leave in good order would take down the driver under threads that compile kernels.
fn end() -> ! {
    #[cfg(unix)]
    // SAFETY: it takes a number, and nothing comes after it.
    unsafe {
        libc::_exit(i32::from(STATUS))
    }
    #[cfg(not(unix))]
    std::process::exit(i32::from(STATUS))
}
