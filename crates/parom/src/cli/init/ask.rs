//! Questions at a terminal; where there is none, nothing is asked.

use std::io::IsTerminal;

use inquire::{InquireError, Password, PasswordDisplayMode, Select, Text};

use crate::cli::Failed;

pub(super) struct Asker {
    asks: bool,
}

impl Asker {
    pub(super) fn new(wanted: bool) -> Asker {
        Asker { asks: wanted && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() }
    }

    /// A text that is not shown while it is typed.
    pub(super) fn secret(&self, question: &str) -> Result<Option<String>, Failed> {
        if !self.asks {
            return Ok(None);
        }
        let answer = Password::new(question).without_confirmation().with_display_mode(PasswordDisplayMode::Masked);
        answer.prompt().map(Some).map_err(ended)
    }

    /// The place of one of the choices.
    pub(super) fn choose(&self, question: &str, choices: Vec<String>) -> Result<Option<usize>, Failed> {
        if !self.asks {
            return Ok(None);
        }
        Select::new(question, choices).raw_prompt().map(|chosen| Some(chosen.index)).map_err(ended)
    }

    pub(super) fn text(&self, question: &str, default: &str) -> Result<String, Failed> {
        if !self.asks {
            return Ok(default.to_owned());
        }
        Text::new(question).with_default(default).prompt().map_err(ended)
    }
}

fn ended(error: InquireError) -> Failed {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => "nothing was written".into(),
        other => other.to_string(),
    }
}
