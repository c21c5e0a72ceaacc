//! aimc-testkit.
