//! What a check of a body needs to know about the account.

use crate::directory::Directory;
use crate::options::{Options, UnknownCustomField, UnknownPaymentMethod};

/// The dictionaries, and what a name that is not in them does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) unknown_custom_field: UnknownCustomField,
    pub(crate) unknown_payment_method: UnknownPaymentMethod,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(directory: &'a Directory, options: &Options) -> Self {
        Self {
            directory,
            unknown_custom_field: options.unknown_custom_field,
            unknown_payment_method: options.unknown_payment_method,
        }
    }
}
