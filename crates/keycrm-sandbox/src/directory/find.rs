//! Look-ups in the dictionaries.

use super::{
    CustomField, DeliveryService, Directory, Offer, PaymentMethod, Pipeline, PipelineStatus, Product, Source, Status,
    Tag, User,
};

/// The name of an entry that is not there, on pages.
fn unknown(what: &str, id: u32) -> String {
    format!("{what} {id}")
}

impl Directory {
    pub(crate) fn source(&self, id: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// The name of a source for people, who may look at an order whose source is gone.
    pub(crate) fn source_name(&self, id: u32) -> String {
        self.source(id).map_or_else(|| unknown("Source", id), |source| source.name.clone())
    }

    /// The currency of a source's orders.
    pub(crate) fn currency(&self, source: u32) -> &str {
        self.source(source).map_or("UAH", |source| source.currency_code.as_str())
    }

    pub(crate) fn status(&self, id: u32) -> Option<&Status> {
        self.statuses.iter().find(|status| status.id == id)
    }

    pub(crate) fn tag(&self, id: u32) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.id == id)
    }

    pub(crate) fn payment_method(&self, id: u32) -> Option<&PaymentMethod> {
        self.payment_methods.iter().find(|method| method.id == id)
    }

    /// A method by name, whatever the case of its letters.
    pub(crate) fn method_named(&self, name: &str) -> Option<&PaymentMethod> {
        let wanted = name.trim().to_lowercase();
        self.payment_methods.iter().find(|method| method.name.to_lowercase() == wanted)
    }

    /// The method of this name, made where it is not there yet.
    pub(crate) fn method_or_new(&mut self, name: &str) -> u32 {
        if let Some(method) = self.method_named(name) {
            return method.id;
        }
        let id = self.payment_methods.iter().map(|method| method.id).max().unwrap_or(0).saturating_add(1);
        let name = name.trim().to_owned();
        self.payment_methods.push(PaymentMethod { id, name, alias: None, is_active: true });
        id
    }

    pub(crate) fn delivery_service(&self, id: u32) -> Option<&DeliveryService> {
        self.delivery_services.iter().find(|service| service.id == id)
    }

    /// The field that `uuid` names among those of a model.
    pub(crate) fn custom_field(&self, model: &str, uuid: &str) -> Option<&CustomField> {
        self.custom_fields.iter().find(|field| field.model == model && field.uuid == uuid)
    }

    /// The variant with this SKU, and its product.
    pub(crate) fn sold_as(&self, sku: &str) -> Option<(&Product, &Offer)> {
        self.all_offers().find(|(_, offer)| offer.sku == sku)
    }

    pub(crate) fn all_offers(&self) -> impl Iterator<Item = (&Product, &Offer)> {
        self.products.iter().flat_map(|product| product.offers.iter().map(move |offer| (product, offer)))
    }

    pub(crate) fn user(&self, id: u32) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn pipeline(&self, id: u32) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.id == id)
    }

    /// A state of a card, and its funnel.
    pub(crate) fn card_status(&self, id: u32) -> Option<(&Pipeline, &PipelineStatus)> {
        let all = self.pipelines.iter().flat_map(|pipeline| pipeline.statuses.iter().map(move |s| (pipeline, s)));
        all.into_iter().find(|(_, status)| status.id == id)
    }
}
