//! `parom`: an order gateway for KeyCRM.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
