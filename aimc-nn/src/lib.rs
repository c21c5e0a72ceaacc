//! aimc-nn.
