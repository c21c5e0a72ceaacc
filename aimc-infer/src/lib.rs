//! aimc-infer.
