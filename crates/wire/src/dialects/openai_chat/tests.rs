//! Written below the golden tests.
