//! What to paste into the site: the form, or the lines of an existing script.

use parom_core::submission::Submission;
use serde_json::Value;

/// The HTML form and the PHP lines of a channel.
pub(super) fn of(channel: &str, listen: &str, sample: &Submission) -> String {
    let fields: Vec<&String> = match &sample.form {
        Value::Object(map) => map.keys().collect(),
        _ => Vec::new(),
    };
    let inputs: String = fields
        .iter()
        .map(|name| format!("  <input name=\"{}\">\n", name.replace('&', "&amp;").replace('"', "&quot;")))
        .collect();
    format!(
        "\nThe form (put your public https address in the place of http://{listen}):\n\n\
         <form method=\"post\" action=\"http://{listen}/in/{channel}\">\n{inputs}  <button>Send</button>\n</form>\n\n\
         Or, in an existing PHP script that has the same fields in $_POST:\n\n\
         $ch = curl_init('http://{listen}/in/{channel}');\n\
         curl_setopt_array($ch, [CURLOPT_POSTFIELDS => http_build_query($_POST), CURLOPT_RETURNTRANSFER => true]);\n\
         $answer = curl_exec($ch);   // {{\"id\": …, \"status\": \"accepted\"}}: the order is on disk\n\n\
         Start the gateway: parom serve\n\n"
    )
}
