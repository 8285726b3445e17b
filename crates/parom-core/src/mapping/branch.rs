//! Nova Poshta's branches in a mapping: the filter that finds one in what a person typed, and what else that text leads to.

use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value as Context};
use serde_json::{Map, Value};

use super::context::BRANCHES;
use super::filters::{Untaken, is_blank};
use crate::channel::Channel;
use crate::convert::{self, is_empty, plain};
use crate::dictionary::{self, Dictionary};
use crate::novaposhta::{Candidate, Directory, Fit, Ref, Resolution, resolve};
use crate::order::{self, Draft};
use crate::problem::{Code, Effect, Problem};
use crate::submission::Submission;

/// What an order does whose branch is not certain, or does not take its parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnclearBranch {
    /// It goes without the branch, with its text, marked.
    #[default]
    Warn,
    /// It waits for a person.
    Hold,
}

/// Candidates in a problem's message: a person sees all of them on the order's page.
const NAMED: usize = 3;
const REF: &str = "shipping.warehouse_ref";
const POINT: &str = "shipping.shipping_receive_point";

/// The directory for the filter, and the text that it was asked about.
#[derive(Debug)]
pub(super) struct Branches {
    directory: Option<Arc<Directory>>,
    text: Mutex<String>,
}

impl Branches {
    pub(super) fn new(directory: Option<&Arc<Directory>>) -> Branches {
        Branches { directory: directory.cloned(), text: Mutex::default() }
    }

    /// The text of the last question.
    pub(super) fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Object for Branches {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `{{ point | np_branch(city) }}`: the ref of the one branch that the text means. A ref stays as it is; an address for a
/// courier and another carrier give nothing; whatever is not certain is a problem that names the likeliest.
pub(super) fn np_branch(state: &State, value: Context, town: Option<Context>) -> Result<Context, Error> {
    let plain = |value: &Context| if is_blank(value) { String::new() } else { value.to_string().trim().to_owned() };
    let (line, town) = (plain(&value), town.as_ref().map(plain).unwrap_or_default());
    if line.is_empty() || Ref::parse(&line).is_some() {
        return Ok(if line.is_empty() { Context::UNDEFINED } else { value });
    }
    let found = state.lookup(BRANCHES);
    let branches = found.as_ref().and_then(|value| value.downcast_object_ref::<Branches>());
    let branches = branches.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no directory"))?;
    line.clone_into(&mut branches.text.lock().unwrap_or_else(PoisonError::into_inner));
    let doubt = |code, message: String| {
        Err(Error::new(ErrorKind::InvalidOperation, message)
            .with_source(Untaken { text: line.clone(), code: Some(code) }))
    };
    // Without [novaposhta] nobody looks for branches; the text goes alone.
    let Some(directory) = branches.directory.as_deref() else { return Ok(Context::UNDEFINED) };
    if directory.is_empty() {
        let message = "Nova Poshta's directory was not fetched yet, so the branch was not looked for".to_owned();
        return doubt(Code::DirectoryMissing, message);
    }
    match resolve(directory, &town, &line) {
        Resolution::One(branch) => Ok(Context::from(branch.reference.to_string())),
        Resolution::Empty | Resolution::Courier | Resolution::Other => Ok(Context::UNDEFINED),
        Resolution::Look(why, candidates) => {
            let likeliest: Vec<String> = candidates.iter().take(NAMED).map(named).collect();
            let likeliest =
                if likeliest.is_empty() { String::new() } else { format!("; likeliest: {}", likeliest.join(" · ")) };
            doubt(
                Code::UnclearBranch,
                format!("it is not certain which branch `{line}` is: {}{likeliest}", why.words()),
            )
        }
    }
}

fn named(candidate: &Candidate<'_>) -> String {
    format!("{}, {}", candidate.settlement.name, candidate.branch.text)
}

/// What a person wrote of the branch goes along, where the mapping puts nothing there.
pub(super) fn keep_text(raw: &mut Map<String, Value>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Value::Object(shipping)) = raw.get_mut("shipping") {
        if shipping.get("shipping_receive_point").is_none_or(is_empty) {
            shipping.insert("shipping_receive_point".into(), Value::String(text.to_owned()));
        }
    } else if !raw.contains_key("shipping") {
        let shipping = Map::from_iter([("shipping_receive_point".to_owned(), Value::String(text.to_owned()))]);
        raw.insert("shipping".into(), Value::Object(shipping));
    }
}

/// The parcel's weight by the channel's expression, in kilograms; none where it comes out empty or as zero. One that cannot be
/// read is told where the order has a branch, which is then not looked at for it.
pub(super) fn weight(
    draft: &mut Draft,
    channel: &Channel,
    submission: &Submission,
    directory: Option<&Arc<Directory>>,
) -> Option<f64> {
    let expr = channel.parcel_weight.as_ref()?;
    let context = super::context::root(submission, &channel.locale(), directory).context(None);
    let read = match expr.eval(&context) {
        Ok(value) => kilograms(&plain(&value).unwrap_or_default()),
        Err(error) => Err((Code::ExpressionFailed, error.message)),
    };
    let (code, why) = match read {
        Ok(kg) => return kg,
        Err(wrong) => wrong,
    };
    if order::get(&draft.body, REF).is_some() {
        let message = format!("parcel_weight cannot be read, and the branch was not looked at for it: {why}");
        let hint = "Let parcel_weight of the channel give kilograms, such as 1.5.";
        draft.problems.push(Problem::new(REF, code, Effect::Warn, message, hint));
    }
    None
}

/// `1.5`, `1,5`, `12 кг`; none for an empty text and for zero, which shops send that do not weigh.
fn kilograms(text: &str) -> Result<Option<f64>, (Code, String)> {
    let bare = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || c == '.').trim();
    if text.trim().is_empty() || bare.bytes().all(|b| matches!(b, b'0' | b'.' | b',')) && bare.contains('0') {
        return Ok(None);
    }
    let told = |misfit: convert::Misfit| (misfit.code, format!("`{}` is no weight in kilograms", text.trim()));
    // A thousand kilograms are no parcel: the comma is the decimal one.
    let kg = convert::quantity(&bare.replace(',', ".")).map_err(told)?;
    Ok(rust_decimal::prelude::ToPrimitive::to_f64(&kg))
}

/// Whose the branch is, and whether it exists, works and takes the parcel. One that does not is left out, and its ref is for
/// the manager to read.
pub(super) fn check(
    draft: &mut Draft,
    (directory, dictionary): (Option<&Arc<Directory>>, Option<&Dictionary>),
    kg: Option<f64>,
) {
    if directory.is_some_and(|directory| !directory.is_empty()) {
        dictionary::add_carrier(&mut draft.body, dictionary);
    }
    let (Some(directory), Some(text)) = (directory, order::get(&draft.body, REF).and_then(plain)) else { return };
    let Some(reference) = Ref::parse(&text).filter(|_| !directory.is_empty()) else { return };
    let name = directory.branch(reference).map(|branch| branch.text.to_string()).unwrap_or_default();
    let (code, message) = match directory.fit(reference, kg) {
        Fit::Fits => {
            // Its words are the fallback for the day on which it is closed.
            if order::get(&draft.body, POINT).is_none_or(is_empty) && !name.is_empty() {
                let _ = order::set(&mut draft.body, POINT, Value::String(name));
            }
            return;
        }
        Fit::Unknown => (Code::UnknownBranch, format!("Nova Poshta's directory has no branch {text}")),
        Fit::Closed => (Code::BranchClosed, format!("the branch does not take parcels now: {name}")),
        Fit::Heavy(most) => {
            let kg = kg.unwrap_or_default();
            (Code::ParcelTooHeavy, format!("the branch takes up to {most} kg, and the parcel has {kg}: {name}"))
        }
    };
    let hint = "Choose another branch; its text is in the order.";
    draft.problems.push(Problem::new(REF, code, Effect::Mend, message, hint));
    draft.left_out.push((REF.to_owned(), if name.is_empty() { text } else { format!("{text} ({name})") }));
    order::remove(&mut draft.body, REF);
    if order::get(&draft.body, POINT).is_none() && !name.is_empty() {
        // The one that was chosen is better than none, for whoever chooses the next.
        let _ = order::set(&mut draft.body, POINT, Value::String(name));
    }
}

/// A channel may want a person for each branch that is not certain.
pub(super) fn hold(draft: &mut Draft, policy: UnclearBranch) {
    if policy == UnclearBranch::Hold {
        let unclear = draft.problems.iter_mut().filter(|problem| problem.code.is_of_branch());
        unclear.for_each(|problem| problem.effect = Effect::Hold);
    }
}

#[cfg(test)]
mod tests {
    use super::kilograms;
    use crate::problem::Code;

    #[test]
    fn a_weight_is_read_or_told() {
        for (text, kg) in [("1.5", 1.5), ("1,500", 1.5), (" 12 кг ", 12.0), ("30 kg.", 30.0), ("0.25", 0.25)] {
            assert_eq!(kilograms(text), Ok(Some(kg)), "{text}");
        }
        for text in ["", " ", "0", "0.00", "0,0 кг"] {
            assert_eq!(kilograms(text), Ok(None), "{text}");
        }
        for (text, code) in [
            ("heavy", Code::InvalidNumber),
            ("1 200 г", Code::InvalidNumber),
            ("-3", Code::OutOfRange),
            (".", Code::InvalidNumber),
        ] {
            assert_eq!(kilograms(text), Err((code, format!("`{text}` is no weight in kilograms"))), "{text}");
        }
    }
}
