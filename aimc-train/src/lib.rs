//! aimc-train.
