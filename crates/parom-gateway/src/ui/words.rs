//! The pages' texts in Ukrainian, Russian and English: `words/*.ftl`, one key in each.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};

/// The languages; the first is for whoever asks for none of them.
pub(super) const LANGUAGES: [&str; 3] = ["uk", "ru", "en"];

static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 3]> = LazyLock::new(|| {
    [
        bundle(
            "uk",
            [include_str!("words/uk.ftl"), include_str!("words/problems.uk.ftl"), include_str!("words/reasons.uk.ftl")],
        ),
        bundle(
            "ru",
            [include_str!("words/ru.ftl"), include_str!("words/problems.ru.ftl"), include_str!("words/reasons.ru.ftl")],
        ),
        bundle(
            "en",
            [include_str!("words/en.ftl"), include_str!("words/problems.en.ftl"), include_str!("words/reasons.en.ftl")],
        ),
    ]
});

fn bundle(language: &str, texts: [&str; 3]) -> FluentBundle<FluentResource> {
    let tag = language.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Marks around what is put in would be seen in titles.
    bundle.set_use_isolating(false);
    for text in texts {
        // A fault in a file leaves its other entries; a test reads the files for faults.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let _ = bundle.add_resource(resource);
    }
    bundle
}

/// A text, or its key where the language has none.
pub(super) fn text(language: &str, key: &str, args: Option<&FluentArgs<'_>>) -> String {
    let at = LANGUAGES.iter().position(|known| *known == language).unwrap_or(0);
    let (key, attribute) = key.split_once('.').map_or((key, None), |(key, attribute)| (key, Some(attribute)));
    let message = BUNDLES[at].get_message(key);
    let pattern = message.and_then(|message| match attribute {
        Some(attribute) => message.get_attribute(attribute).map(|attribute| attribute.value()),
        None => message.value(),
    });
    match pattern {
        Some(pattern) => BUNDLES[at].format_pattern(pattern, args, &mut Vec::new()).into_owned(),
        None => format!("⟦{key}⟧"),
    }
}

/// `{{ t('orders-found', count=3) }}` of a page.
pub(super) fn of_page(state: &State<'_, '_>, key: &str, args: Kwargs) -> Result<String, Error> {
    let language = state.lookup("lang").ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no language"))?;
    let mut given = FluentArgs::new();
    for name in args.args() {
        let value: Value = args.get(name)?;
        let value = match f64::try_from(value.clone()) {
            Ok(number) if value.is_number() => FluentValue::from(number),
            _ => FluentValue::from(value.to_string()),
        };
        given.set(name.to_owned(), value);
    }
    args.assert_all_used()?;
    Ok(text(language.as_str().unwrap_or_default(), key, Some(&given)))
}
