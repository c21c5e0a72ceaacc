//! Training algorithms: tiles made of tiles, so that layers and the training loop never change when algorithms do.
//!
//! | algorithm | file | what it does about imperfect devices |
//! |---|---|---|
//! | pulsed gradient descent | none: the tile itself | nothing |
//! | Tiki-Taka | [`tiki_taka`] | gradients go to a fast array, whose mean is transferred |
//! | Tiki-Taka v2 | [`tiki_taka_v2`] | a digital buffer filters the transfer |
//! | chopped Tiki-Taka | [`chopped`] | signs change, so that offsets of the fast array average out |
//! | AGAD | [`agad`] | the offset is tracked and subtracted |
//! | residual learning on several arrays | [`residual_learning`] | each array holds what the next one cannot express |
//! | mixed precision | [`mixed_precision`] | gradients are accumulated digitally |
//! | the same in integers | [`mixed_precision_int`] | the accumulator holds whole numbers |
//!
//! [`transfer`] and [`transfer_tile`] hold what the transfer algorithms share: an algorithm is a record and a
//! rule; [`digital_rank_update`] is the tile of what is accumulated digitally. To add
//! one: write its file, then add one line to the `algorithms!` of [`config`].

pub mod agad;
pub mod chopped;
mod choppers;
pub mod config;
pub mod digital_rank_update;
pub mod mixed_precision;
pub mod mixed_precision_int;
pub mod residual_learning;
pub mod tiki_taka;
pub mod tiki_taka_v2;
pub mod transfer;
mod transfer_rule;
pub mod transfer_tile;

pub use agad::Agad;
pub use chopped::ChoppedTikiTaka;
pub use config::{Algorithm, TrainingTileConfig};
pub use digital_rank_update::DigitalRankUpdateTile;
pub use mixed_precision::MixedPrecision;
pub use mixed_precision_int::MixedPrecisionInt;
pub use residual_learning::ResidualLearning;
pub use tiki_taka::TikiTaka;
pub use tiki_taka_v2::TikiTakaV2;
pub use transfer_tile::TransferTile;
