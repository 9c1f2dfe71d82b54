//! Metrics that are modules of WebAssembly: a case as JSON in, a score as JSON out. A module sees nothing else: it can import nothing, each case
//! has a fresh instance, and its instructions and memory are limited. So its scores depend on the case only.
//!
//! A module exports its `memory`, `alloc(bytes: i32) -> i32`, which says where so many bytes may be written, and `score(start: i32, bytes: i32) ->
//! i64`, which gives the place of its answer in the upper 32 bits and the length in the lower.

use std::fmt;

use signalbox_metrics::Case;
use wasmi::{Config, Engine, Instance, Linker, Memory, Store, StoreLimits, StoreLimitsBuilder, TypedFunc};

use super::said::{case_json, said_score};
use crate::Scored;

/// Units of work for a case, about as many as instructions: some seconds.
const MOST_FUEL: u64 = 2_000_000_000;
const MOST_MEMORY: usize = 256 << 20;
/// More is no answer.
const MOST_ANSWER: usize = 1 << 20;
const LARGEST_MODULE: usize = 64 << 20;

/// A module that measures.
pub struct Module {
    engine: Engine,
    module: wasmi::Module,
    fuel: u64,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").finish_non_exhaustive()
    }
}

/// A running module.
struct Running {
    store: Store<StoreLimits>,
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    score: TypedFunc<(i32, i32), i64>,
}

impl Module {
    /// Reads a module.
    ///
    /// # Errors
    /// It is none, it imports something, or lacks an export.
    pub fn new(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LARGEST_MODULE {
            return Err(format!("the module has {} bytes; at most {LARGEST_MODULE} are read", bytes.len()));
        }
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = wasmi::Module::new(&engine, bytes).map_err(|error| format!("this is no WebAssembly: {error}"))?;
        let imports: Vec<_> = module.imports().map(|one| format!("{}.{}", one.module(), one.name())).collect();
        if !imports.is_empty() {
            let names = imports.join(", ");
            return Err(format!(
                "it imports {names}, and a metric has nothing to import; build it without a system, as for wasm32-unknown-unknown"
            ));
        }
        let made = Self { engine, module, fuel: MOST_FUEL };
        made.start()?;
        Ok(made)
    }

    fn start(&self) -> Result<Running, String> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(MOST_MEMORY)
            .instances(1)
            .memories(1)
            .tables(8)
            .table_elements(1 << 20)
            .build();
        let mut store = Store::new(&self.engine, limits);
        store.limiter(|limits| limits);
        store.set_fuel(self.fuel).map_err(|error| error.to_string())?;
        let started = Linker::new(&self.engine).instantiate_and_start(&mut store, &self.module);
        let instance: Instance = started.map_err(|error| format!("it doesn't start: {error}"))?;
        let lacks = |what: &str| format!("it lacks an export: expected {what}");
        let memory = instance.get_memory(&store, "memory").ok_or_else(|| lacks("`memory`"))?;
        let alloc = instance.get_typed_func(&store, "alloc").map_err(|_| lacks("`alloc(bytes: i32) -> i32`"))?;
        let score = instance.get_typed_func(&store, "score");
        let score = score.map_err(|_| lacks("`score(start: i32, bytes: i32) -> i64`"))?;
        Ok(Running { store, memory, alloc, score })
    }

    /// Measures a case.
    ///
    /// # Errors
    /// The module breaks off, takes too long or too much memory, or what it gives is no score.
    pub fn score(&self, case: &Case) -> Result<Scored, String> {
        let mut running = self.start()?;
        let said = running.ask(case_json(case).to_string().as_bytes())?;
        said_score(&said)
    }
}

impl Running {
    fn ask(&mut self, case: &[u8]) -> Result<String, String> {
        let bytes = i32::try_from(case.len()).map_err(|_| "the case is too large for a module".to_owned())?;
        let start = self.alloc.call(&mut self.store, bytes).map_err(|error| broke(&error, "alloc"))?;
        let written = self.memory.write(&mut self.store, place(start), case);
        written
            .map_err(|_| format!("`alloc` gave the place {start}, where {bytes} bytes don't fit into its memory"))?;
        let answer = self.score.call(&mut self.store, (start, bytes)).map_err(|error| broke(&error, "score"))?;
        // Both halves are unsigned: a module may use memory beyond two gigabytes' addresses.
        let answer = answer.cast_unsigned();
        let (start, length) = ((answer >> 32) as usize, (answer & 0xffff_ffff) as usize);
        if length > MOST_ANSWER {
            return Err(format!("`score` gave {length} bytes; at most {MOST_ANSWER} are read"));
        }
        let mut said = vec![0; length];
        let read = self.memory.read(&self.store, start, &mut said);
        read.map_err(|_| format!("`score` gave the place {start} with {length} bytes, which is not in its memory"))?;
        String::from_utf8(said).map_err(|_| "`score` gave something else than UTF-8".to_owned())
    }
}

/// Addresses are unsigned.
fn place(address: i32) -> usize {
    address.cast_unsigned() as usize
}

fn broke(error: &wasmi::Error, function: &str) -> String {
    match error.as_trap_code() {
        Some(wasmi::TrapCode::OutOfFuel) => {
            format!("`{function}` took more instructions than a case may, some {MOST_FUEL}, and was ended")
        }
        _ => format!("`{function}` broke off: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use signalbox_metrics::Input;

    use super::*;

    /// A module with this body of `score`; `$start` and `$bytes` are the case's. Answers stand at 0 and 16.
    fn module(score: &str) -> Result<Module, String> {
        let text = format!(
            r#"(module
                 (memory (export "memory") 2)
                 (data (i32.const 0) "{{\"value\": 1}}")
                 (data (i32.const 16) "0.25")
                 (global $calls (mut i32) (i32.const 0))
                 (func (export "alloc") (param i32) (result i32) (i32.const 1024))
                 (func (export "score") (param $start i32) (param $bytes i32) (result i64) (local $at i32) {score}))"#
        );
        Module::new(&wat::parse_str(text).unwrap())
    }

    fn score(body: &str, output: &str) -> Result<Scored, String> {
        let made = Module { fuel: 1_000_000, ..module(body).unwrap() };
        made.score(&Case::new().with(Input::Output, output))
    }

    /// 1 if the case has an exclamation mark, else 0.25.
    const LOUD: &str = "
        (loop $next
          (if (i32.eq (i32.load8_u (i32.add (local.get $start) (local.get $at))) (i32.const 33))
              (then (return (i64.const 12))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
        (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 4))";

    #[test]
    fn a_module_sees_the_case_and_says_a_score() {
        assert_eq!(score(LOUD, "hello!").unwrap().value, Some(1.0));
        assert_eq!(score(LOUD, "hello").unwrap().value, Some(0.25));
    }

    #[test]
    fn no_case_sees_another() {
        let counts = "
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.gt_u (global.get $calls) (i32.const 1)) (then unreachable))
            (i64.const 12)";
        let made = module(counts).unwrap();
        let case = Case::new().with(Input::Output, "x");
        for _ in 0..3 {
            assert_eq!(made.score(&case).unwrap().value, Some(1.0));
        }
    }

    #[test]
    fn what_goes_wrong_is_an_error() {
        for (body, expected) in [
            ("(loop $on (br $on)) (i64.const 0)", "`score` took more instructions"),
            ("unreachable", "`score` broke off"),
            ("(i64.const 0x7fffffff_00000004)", "not in its memory"),
            ("(i64.const 0xffffffff)", "at most 1048576 are read"),
            ("(i64.const 3)", "is no JSON"),
        ] {
            let error = score(body, "x").unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
        // More memory than there may be isn't given.
        let greedy = "(if (result i64) (i32.eq (memory.grow (i32.const 10000)) (i32.const -1))
                        (then (i64.const 12)) (else (i64.const 0)))";
        let case = Case::new().with(Input::Output, "x");
        assert_eq!(module(greedy).unwrap().score(&case).unwrap().value, Some(1.0));
    }

    #[test]
    fn what_is_no_module_of_a_metric_is_told_before_it_runs() {
        let told = |text: &str| Module::new(&wat::parse_str(text).unwrap()).unwrap_err();
        assert!(told(r#"(module (import "env" "now" (func)))"#).contains("it imports env.now"));
        assert!(told("(module)").contains("expected `memory`"));
        assert!(told(r#"(module (memory (export "memory") 1))"#).contains("`alloc(bytes: i32) -> i32`"));
        assert!(told(r#"(module (memory (export "memory") 10000))"#).contains("doesn't start"));
        assert!(Module::new(b"\x7fELF").unwrap_err().contains("no WebAssembly"));
    }
}
