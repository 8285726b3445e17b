//! What a buyer is told of a problem that a buyer can mend; of every other, what the shop is told.

use parom_core::Problem;
use parom_core::problem::Code;

use super::language::Language;

/// A problem in the buyer's language.
pub(super) fn told(problem: &Problem, language: Option<Language>) -> String {
    language.and_then(|language| for_buyers(problem.code, language)).map_or_else(|| for_shops(problem), str::to_owned)
}

fn for_shops(problem: &Problem) -> String {
    match problem.hint.as_str() {
        "" => problem.message.clone(),
        hint => format!("{}. {hint}", problem.message.trim_end_matches('.')),
    }
}

fn for_buyers(code: Code, language: Language) -> Option<&'static str> {
    Some(match code {
        Code::NoContact => language.pick(
            "Вкажіть телефон або пошту, щоб ми могли з вами зв’язатися.",
            "Укажите телефон или почту, чтобы мы могли с вами связаться.",
            "Give a phone number or an e-mail, so that we can reach you.",
        ),
        Code::InvalidPhone => language.pick(
            "Це не схоже на номер телефону: перевірте цифри.",
            "Это не похоже на номер телефона: проверьте цифры.",
            "This does not look like a phone number: check its digits.",
        ),
        Code::InvalidEmail => language.pick(
            "Це не схоже на адресу пошти: перевірте її.",
            "Это не похоже на адрес почты: проверьте его.",
            "This does not look like an e-mail address: check it.",
        ),
        Code::UnclearBranch | Code::UnknownBranch => language.pick(
            "Такого відділення Нової пошти не знайдено: вкажіть місто і номер відділення.",
            "Такое отделение Новой почты не найдено: укажите город и номер отделения.",
            "This branch of Nova Poshta was not found: give the town and the branch's number.",
        ),
        Code::BranchClosed | Code::ParcelTooHeavy => language.pick(
            "Це відділення не прийме посилку: оберіть інше.",
            "Это отделение не примет посылку: выберите другое.",
            "This branch does not take the parcel: choose another.",
        ),
        _ => return None,
    })
}
