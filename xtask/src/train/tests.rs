//! Trainings as a whole.
