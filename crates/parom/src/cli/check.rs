//! `parom check`.

use std::path::Path;

use clap::Args;
use parom_core::channel::{Finding, Severity};
use parom_gateway::config::{LiveChannel, load_channels};
use serde_json::{Value, json};

use super::{Failed, Outcome, load, print, print_json};

/// Look over every channel file.
#[derive(Args)]
#[command(after_help = "Errors exit 1; warnings exit 0, or 1 with --strict.\n\
    Example: parom check --offline --json | jq '.[].message'")]
pub(super) struct Check {
    /// By the files alone, without asking the CRM
    #[arg(long)]
    offline: bool,
    /// Let warnings fail too
    #[arg(long)]
    strict: bool,
    /// An array of findings
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        if !self.offline {
            eprintln!("parom: this version checks the files alone; the account's dictionaries are not asked");
        }
        let channels = load_channels(&config);
        let found: Vec<(&LiveChannel, &Finding)> =
            channels.iter().flat_map(|live| live.findings.iter().map(move |finding| (live, finding))).collect();
        if self.json {
            print_json(&Value::Array(found.iter().map(|(live, finding)| as_json(live, finding)).collect()));
        } else {
            found.iter().for_each(|(live, finding)| print(&as_text(live, finding)));
            let errors = found.iter().filter(|(_, finding)| finding.severity == Severity::Error).count();
            let warnings = found.len() - errors;
            print(&format!("{} channels, {errors} errors, {warnings} warnings\n", channels.len()));
            if channels.is_empty() {
                print(&format!("no channel files in {}\n", config.channels_dir().display()));
            }
        }
        let failing = |finding: &Finding| self.strict || finding.severity == Severity::Error;
        let failed = found.iter().any(|(_, finding)| failing(finding));
        Ok(if failed { Outcome::Problems } else { Outcome::Done })
    }
}

fn as_json(live: &LiveChannel, finding: &Finding) -> Value {
    json!({
        "channel": live.name,
        "file": live.file.display().to_string(),
        "line": finding.line,
        "column": finding.column,
        "path": finding.path,
        "code": finding.code.as_str(),
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "hint": finding.hint,
    })
}

fn as_text(live: &LiveChannel, finding: &Finding) -> String {
    let place = format!("{}:{}:{}", live.file.display(), finding.line, finding.column);
    let path = if finding.path.is_empty() { String::new() } else { format!("{}: ", finding.path) };
    let mut text = format!("{place}: {}: {path}{} [{}]\n", finding.severity.as_str(), finding.message, finding.code);
    if !finding.hint.is_empty() {
        text.push_str(&format!("    {}\n", finding.hint));
    }
    text
}
