//! The machine's multiply–add peak, measured: what no tile kernel can pass.

use std::time::{Duration, Instant};

use cnn_runtime::threads::ThreadPool;
use cnn_types::InstructionSet;

use super::inst::Width;
use super::{Code, Counter, Executable, ExecutableError, Inst, LANES, Operand, TileError, Vector, encode};

/// Multiply–adds of one turn of the loop: enough chains to hide their latency, several times.
const ACCUMULATORS: u8 = 12;
const ROUNDS: u32 = 8;
/// Turns of the loop: together 0.2 ms, beside which starting threads takes no time.
const TURNS: u32 = 16_000;

/// A loop of independent multiply–adds on registers.
#[derive(Debug)]
pub struct Peak {
    code: Executable,
}

impl Peak {
    /// Floating-point operations of one [`run`](Self::run).
    pub const OPERATIONS: f64 = 2.0 * LANES as f64 * ACCUMULATORS as f64 * ROUNDS as f64 * TURNS as f64;

    /// Assembles the loop.
    ///
    /// # Errors
    /// [`ExecutableError`]: the machine has no such instructions, or no memory.
    pub fn new() -> Result<Peak, ExecutableError> {
        let counter = Counter(0);
        let mut insts: Vec<Inst> = (0..16).map(|v| Inst::Zero { dst: Vector(v) }).collect();
        let count = TURNS;
        insts.extend([Inst::Count { counter, count }, Inst::Head { counter, aligned: true }]);
        for _ in 0..ROUNDS {
            insts.extend((0..ACCUMULATORS).map(|v| Inst::MultiplyAdd {
                acc: Vector(v),
                a: Vector(14),
                b: Operand::Vector(Vector(15)),
            }));
        }
        insts.extend([Inst::Repeat { counter }, Inst::Return]);
        let code = encode(&Code {
            width: Width::Ymm,
            insts,
        })
        .map_err(TileError::from)?;
        Ok(Peak {
            code: Executable::from_code(&code, InstructionSet::Avx2)?,
        })
    }

    /// How long [`OPERATIONS`](Self::OPERATIONS) take, this time.
    pub fn run(&self) -> Duration {
        let nothing = std::ptr::null_mut();
        let start = Instant::now();
        // SAFETY: the code touches registers only.
        unsafe { self.code.kernel()(nothing, nothing, nothing, nothing, nothing) };
        start.elapsed()
    }

    /// Operations a second of all threads of a pool at once: the best of what `budget` allows to try.
    pub fn rate(&self, pool: &ThreadPool, budget: Duration) -> f64 {
        pool.wake();
        let begin = Instant::now();
        let mut least = Duration::MAX;
        while least == Duration::MAX || begin.elapsed() < budget {
            let start = Instant::now();
            pool.run(pool.threads(), &|_| {
                self.run();
            });
            least = least.min(start.elapsed());
        }
        Self::OPERATIONS * pool.threads() as f64 / least.as_secs_f64()
    }
}
