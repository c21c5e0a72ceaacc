//! aimc-tile.
