//! To be written.
use super::CaseError;
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
pub(crate) fn compare(_file: &GoldenFile, _case: &Node<'_>) -> Result<Comparison, CaseError> {
    Err(CaseError::NotBuilt("inference".into()))
}
