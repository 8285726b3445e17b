//! The words around a branch in what people type, by their folded beginnings.

use super::rows::Kind;

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `відділення`, `поштомат`, `пункт`.
    Kind(Kind),
    /// `вантажне`: a branch for heavy parcels.
    Cargo,
    /// `єдине`: the settlement has no other.
    Only,
    /// `нова`, `нп`: Nova Poshta and no other.
    Nova,
    /// `пошта`.
    Post,
    /// `номер`, `н`.
    Number,
    /// Another carrier.
    Other,
    /// The buyer comes to the shop.
    Shop,
    /// To the buyer's door.
    Courier,
    /// `кв`: a flat's number follows, which is nobody's branch.
    Flat,
    /// `буд`: a house's number follows.
    House,
    /// `під'їзд`, `поверх`: a number follows that says nothing here.
    Inside,
    /// `вул`, `просп`.
    Street,
    /// `мкр`: a quarter of a city, with a number or a name.
    Quarter,
    /// `обл`.
    Area,
    /// `район`; `р-н` comes as two.
    Region,
    /// `м`, `г`, `місто`: a city follows.
    City,
    /// `с`, `село`: a village follows.
    Village,
    /// `смт`, `селище`: a settlement of another kind follows.
    Town,
    /// `кг`, `шт`, `грн`: the number before counts something.
    Unit,
    /// `індекс`: a postal code follows.
    Index,
    /// `замовлення`: its number follows.
    Order,
    /// `тел`: a phone follows.
    Phone,
    /// `або`: what follows is another choice.
    Or,
    /// `на`: a place without a number may follow.
    At,
    /// `біля`, `навпроти`: before a branch, it is not the branch itself.
    Near,
    /// `не`, `колишнє`: it is another one, or none.
    Not,
    /// Says nothing.
    Filler,
}

/// Beginnings of folded words, or whole ones behind `=`. The first that fits counts.
const WORDS: &[(Word, &str)] = &[
    (
        Word::Kind(Kind::Locker),
        "поштомат поштамат почтомат почтамат постомат постамат поштмат пачкомат поштомт =лоцкер",
    ),
    (
        Word::Kind(Kind::Branch),
        "видил видел =вид видл отдел =отд отди одел атдел =вд вдил вдел видел склад филиал филия бранч",
    ),
    (Word::Kind(Kind::PickUp), "пункт"),
    (Word::Cargo, "вантажн грузов"),
    (Word::Only, "един"),
    (Word::Other, "укрпошт укрпочт =укр розетк =мест експрес иустин джастин деливер интаим автолюкс"),
    (Word::Shop, "самов =забер =заберу =магазин =магазину =магазина =магазине"),
    (Word::Nova, "=нп =нова =новая =новои =новую =нову =новою =нови =нов =ново новапо новаяпо новопо"),
    (Word::Post, "пошт почт"),
    (Word::Number, "номер =ном =н =но"),
    (Word::Courier, "курер куриер адресн =двереи =двери =двер =додому =домои =дому =домашню =домашни"),
    (Word::Flat, "=кв квартир =оф =офис помешкан"),
    (Word::House, "=буд будин =дом =д =б"),
    (Word::Inside, "пидизд пидизд подезд =под =пид поверх =етаж =ет корпус =корп секци домофон"),
    (
        Word::Street,
        "вулиц =вул =вулю =ул улиц просп =пр =прт =прк булвар =бул =блв =бр площ =пл провул =пров =пер переул шосе =ш \
         набереж =наб узвиз спуск =маидан =жм произд проезд =алея =дорога =дорозе =дорози",
    ),
    (Word::Quarter, "=мкр =мкрн микрора"),
    (Word::Area, "област =обл =об"),
    (Word::Region, "=раион =раиони =раиону =раиона =раионе =рн"),
    (Word::City, "=м =мисто =мисти =миста =г =гор =город =городе =города =сити"),
    (Word::Village, "=с =село =сели =селе =дер деревн =хутир"),
    (Word::Town, "=смт =пгт селищ =поселок =поселке =пос =сел"),
    (Word::Unit, "=кг килограм =шт штук =грн гривен гривн одиниц"),
    (Word::Index, "индекс =инд =зип"),
    (Word::Order, "замовлен =заказ =заказа =заказу"),
    (Word::Phone, "=тел телефон =моб дзвон звон"),
    (Word::Or, "=або =или =чи =либо =якщо =если"),
    (Word::At, "=на =по"),
    (Word::Near, "=биля =около =возле =коло =поруч =рядом =напроти =навпроти =напротив =недалеко =поряд =поблизу"),
    (
        Word::Not,
        "=не =ни =нет =нема =немае =крим =кроме =замист =вместо =колишне =колишни =колишня =бивше =бивши =бувше =старе =старое",
    ),
    (
        Word::Filler,
        "=до =в =у =за =з =из =и =та =це =ето прош пожал ласк доставк самое =украина =украину =украини =украине =юа =мое \
         =одне =одно =мисце =место =макс =для мешканц отриман получ видач приман видач прием наиближч ближаиш =тилки =толко",
    ),
];

/// What a folded word says; none for one that is a name, most likely.
#[must_use]
pub(super) fn of(word: &str) -> Option<Word> {
    let fits = |known: &str| match known.strip_prefix('=') {
        Some(whole) => word == whole,
        None => word.starts_with(known),
    };
    WORDS.iter().find(|(_, known)| known.split_whitespace().any(fits)).map(|(word, _)| *word)
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    fn the_lists_are_folded_themselves() {
        for (word, known) in WORDS {
            for known in known.split_whitespace() {
                let known = known.trim_start_matches('=');
                assert_eq!(known, fold(known), "{word:?}");
            }
        }
    }
}
