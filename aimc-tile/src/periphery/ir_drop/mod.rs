//! IR drop: the resistance of the wires takes voltage from the devices far along a line.

pub mod closed_form;
