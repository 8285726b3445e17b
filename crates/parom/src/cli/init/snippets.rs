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

/// The names of a form's fields, as PHP writes those of lists: `products[0][name]`.
fn names(value: &Value, name: &str, out: &mut Vec<String>) {
    let inside = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}[{key}]") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| names(value, &inside(key), out)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| names(value, &inside(&at.to_string()), out));
        }
        _ => out.push(name.to_owned()),
    }
}

/// The HTML form and the PHP lines of a channel.
pub(super) fn of(channel: &str, listen: &str, sample: &Submission) -> String {
    let mut fields = Vec::new();
    names(&sample.form, "", &mut fields);
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
