//! What the account holds: orders, buyers, cards, and the file that keeps them.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::buyers::{self, Buyers};
use crate::cards::{self, Card, Cards};
use crate::directory::{Directory, PaymentMethod};
use crate::fields::FieldErrors;
use crate::journal::Journal;
use crate::options::Options;
use crate::orders::{self, Book, Record};

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// There is no such order or card.
    Missing,
    /// A field's value does not fit what is there.
    Refused(FieldErrors),
    /// The journal could not be written.
    Disk(io::Error),
}

/// Orders, buyers and cards. A line of the journal is an order by itself, or `{"buyer": …}`, or `{"card": …}`;
/// an order or a card that changed is written anew, and its last line counts. Buyers that came with orders are read
/// from the orders.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) orders: Book,
    pub(crate) buyers: Buyers,
    pub(crate) cards: Cards,
    journal: Option<Journal>,
    /// Payment methods that stored payments made by their names, as ids and names.
    made_methods: BTreeMap<u32, String>,
}

impl Account {
    /// An empty account, or the one that the data file holds.
    pub(crate) fn open(options: &Options) -> io::Result<Self> {
        let (mut records, mut buyers, mut cards) = (Vec::new(), Buyers::default(), Cards::default());
        let mut made_methods = BTreeMap::new();
        let mut read_line = |line: &str| {
            let entry = read(line, &mut records, &mut buyers, &mut cards);
            entry.map(|entry| note_methods(&entry, &mut made_methods)).is_some()
        };
        let journal = options.data.as_deref().map(|path| Journal::open(path, &mut read_line)).transpose()?;
        Ok(Self { orders: Book::new(options, records), buyers, cards, journal, made_methods })
    }

    /// Adds the payment methods that earlier runs made, without which stored ids would mean nothing.
    pub(crate) fn restore_methods(&self, directory: &mut Directory) {
        for (id, name) in &self.made_methods {
            if directory.payment_method(*id).is_none() {
                let method = PaymentMethod { id: *id, name: name.clone(), alias: None, is_active: true };
                directory.payment_methods.push(method);
            }
        }
    }

    /// Whether a write waits for the disk.
    pub(crate) fn is_durable(&self) -> bool {
        self.journal.is_some()
    }

    fn write(&mut self, line: &str) -> Result<(), WriteError> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.append(line)).map_err(WriteError::Disk)
    }

    /// Numbers the order, finds or makes its buyer, and keeps both: on disk first, where there is a file.
    pub(crate) fn create_order(&mut self, draft: orders::Draft, now: Timestamp) -> Result<Record, WriteError> {
        if self.orders.is_taken(&draft) {
            let text = "The source uuid has already been taken.";
            return Err(WriteError::Refused(FieldErrors::one("source_uuid", text)));
        }
        let buyer = match draft.buyer_id {
            Some(id) if self.buyers.get(id).is_none() => {
                let text = "The selected buyer.id is invalid.";
                return Err(WriteError::Refused(FieldErrors::one("buyer.id", text)));
            }
            Some(id) => id,
            None => self.buyers.matching(&draft.buyer).unwrap_or_else(|| self.buyers.next_id()),
        };
        let order = orders::compose(draft, self.orders.next_id(), buyer, now);
        self.keep_order(order)
    }

    /// Changes an order by `change`, which may refuse.
    pub(crate) fn change_order(
        &mut self,
        id: u64,
        change: impl FnOnce(&mut Map<String, Value>) -> Result<(), FieldErrors>,
    ) -> Result<Record, WriteError> {
        let mut order = self.orders.get(id).ok_or(WriteError::Missing)?.stored();
        change(&mut order).map_err(WriteError::Refused)?;
        self.keep_order(order)
    }

    fn keep_order(&mut self, order: Map<String, Value>) -> Result<Record, WriteError> {
        let buyer = buyers::of_order(&order);
        let order = Value::Object(order);
        let line = order.to_string();
        let record = Record::from_order(&order, &line)
            .ok_or_else(|| WriteError::Disk(io::Error::other("the order does not read back")))?;
        self.write(&line)?;
        self.buyers.add(&buyer);
        self.orders.put(record.clone());
        Ok(record)
    }

    /// Numbers and keeps a buyer.
    pub(crate) fn create_buyer(&mut self, fields: Map<String, Value>, now: Timestamp) -> Result<u64, WriteError> {
        let id = self.buyers.next_id();
        let buyer = buyers::compose(fields, id, now);
        self.write(&json!({ "buyer": buyer }).to_string())?;
        self.buyers.add(&buyer);
        Ok(id)
    }

    /// Numbers and keeps a card.
    pub(crate) fn create_card(&mut self, draft: cards::Draft, now: Timestamp) -> Result<Card, WriteError> {
        let card = cards::compose(draft, self.cards.next_id(), &self.buyers, now).map_err(WriteError::Refused)?;
        self.keep_card(card)
    }

    /// Changes a card.
    pub(crate) fn change_card(
        &mut self,
        id: u64,
        change: cards::Change,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<Card, WriteError> {
        let mut card = self.cards.get(id).ok_or(WriteError::Missing)?.clone();
        if change.client_id().is_some_and(|client| self.buyers.get(client).is_none()) {
            let text = "The selected client id is invalid.";
            return Err(WriteError::Refused(FieldErrors::one("client_id", text)));
        }
        let pipeline_of = |status| directory.card_status(status).map(|(pipeline, _)| pipeline.id);
        change.apply(&mut card, pipeline_of, now);
        self.keep_card(card)
    }

    fn keep_card(&mut self, card: Card) -> Result<Card, WriteError> {
        self.write(&json!({ "card": card.stored }).to_string())?;
        self.cards.put(card.clone());
        Ok(card)
    }
}

/// Reads one line of the journal; `None` where it is nothing that the sandbox writes.
fn read(line: &str, records: &mut Vec<Record>, buyers: &mut Buyers, cards: &mut Cards) -> Option<Value> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let fields = entry.as_object()?;
    if let (1, Some(card)) = (fields.len(), fields.get("card")) {
        cards.put(Card::from_stored(card)?);
    } else if let (1, Some(buyer)) = (fields.len(), fields.get("buyer")) {
        buyer["id"].as_u64()?;
        buyers.add(buyer);
    } else {
        records.push(Record::from_order(&entry, line)?);
        buyers.add(&buyers::of_order(fields));
    }
    Some(entry)
}

/// A payment that has both an id and a name is one whose method was made for it.
fn note_methods(entry: &Value, made: &mut BTreeMap<u32, String>) {
    let owner = entry.get("card").unwrap_or(entry);
    for payment in owner["payments"].as_array().into_iter().flatten() {
        let id = payment["payment_method_id"].as_u64().and_then(|id| u32::try_from(id).ok());
        if let (Some(id), Some(name)) = (id, payment["payment_method"].as_str()) {
            made.entry(id).or_insert_with(|| name.trim().to_owned());
        }
    }
}
