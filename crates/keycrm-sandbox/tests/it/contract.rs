//! Every answer of a broad run against two descriptions: our own short one, always, and the vendor's file, where it
//! is at hand.

mod own;
mod run;
mod vendor;

use keycrm_sandbox::{Options, PipelineLabel};

use crate::client::{start, unlimited};

#[tokio::test]
async fn every_answer_keeps_the_short_contract() {
    for pipeline_label in [PipelineLabel::Title, PipelineLabel::Name] {
        let sandbox = start(Options { pipeline_label, ..unlimited() }).await;
        let answers = run::answers(&sandbox).await;
        let contract = own::Contract::read();
        let deviations: Vec<String> = answers.iter().flat_map(|answer| contract.deviations(answer)).collect();
        assert_eq!(deviations, Vec::<String>::new());
        contract.is_covered_by(&answers);
    }
}

#[tokio::test]
async fn every_answer_keeps_the_vendors_contract() {
    let Some(contract) = vendor::Contract::read() else { return };
    let sandbox = start(unlimited()).await;
    let answers = run::answers(&sandbox).await;
    let mut deviations: Vec<String> = answers.iter().flat_map(|answer| contract.deviations(answer)).collect();
    deviations.sort();
    deviations.dedup();
    assert_eq!(deviations, Vec::<String>::new(), "{deviations:#?}");
}
