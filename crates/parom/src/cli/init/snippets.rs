//! What to paste into the site: the form, or the lines of an existing script.

use parom_core::submission::{Submission, recognise};
use serde_json::Value;

/// What turns an input into a search for a town or a branch of Nova Poshta, where the gateway keeps the directory.
fn mark(meant: &[(&str, &str)], name: &str) -> &'static str {
    match meant.iter().find(|(_, known)| *known == name).map(|(meaning, _)| *meaning) {
        Some("city") => " data-np-city",
        Some("branch") => " data-np-branch",
        _ => "",
    }
}

/// The HTML form and the PHP lines of a channel.
pub(super) fn of(channel: &str, listen: &str, sample: &Submission) -> String {
    let fields: Vec<&String> = match &sample.form {
        Value::Object(map) => map.keys().collect(),
        _ => Vec::new(),
    };
    let meant = recognise(&sample.form);
    let inputs: String = fields
        .iter()
        .map(|name| {
            let escaped = name.replace('&', "&amp;").replace('"', "&quot;");
            format!("  <input name=\"{escaped}\"{}>\n", mark(&meant, name))
        })
        .collect();
    let script = if inputs.contains("data-np-city") {
        format!("<script src=\"http://{listen}/assets/picker.js\" defer></script>\n")
    } else {
        String::new()
    };
    format!(
        "\nThe form (put your public https address in the place of http://{listen}):\n\n\
         {script}<form method=\"post\" action=\"http://{listen}/in/{channel}\">\n{inputs}  <button>Send</button>\n</form>\n\n\
         Or, in an existing PHP script that has the same fields in $_POST:\n\n\
         $ch = curl_init('http://{listen}/in/{channel}');\n\
         curl_setopt_array($ch, [CURLOPT_POSTFIELDS => http_build_query($_POST), CURLOPT_RETURNTRANSFER => true]);\n\
         $answer = curl_exec($ch);   // {{\"id\": …, \"status\": \"accepted\"}}: the order is on disk\n\n\
         Start the gateway: parom serve\n\n"
    )
}
