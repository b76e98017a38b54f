//! Starts Pharos.

use std::process::ExitCode;

fn main() -> ExitCode {
    pharos::cli::run()
}
