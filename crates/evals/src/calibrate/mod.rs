//! Whether a judge may be trusted: how far it agrees with people, and how people's corrections make it judge as they do.

mod alpha;
mod examples;
mod kappa;
mod labelled;
mod meaning;
mod report;

pub use alpha::{Difference, krippendorff_alpha};
pub use examples::{Correction, Examples, Nearest};
pub use kappa::{Confusion, Weights, fleiss_kappa};
pub use labelled::{Labelled, labelled_line};
pub use report::{Agreement, Interval, PerClass, Rated, Raters, Segment, compare};
