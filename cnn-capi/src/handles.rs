//! Networks by number. Numbers are never used again, so that a network that was closed is an error, not freed memory.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cnn::Session;

use crate::status::Failure;

/// A loaded network and its arrays' names as C reads them.
pub(crate) struct Loaded {
    pub(crate) session: Session,
    pub(crate) inputs: Vec<Array>,
    pub(crate) outputs: Vec<Array>,
}

/// An array as C reads it.
pub(crate) struct Array {
    pub(crate) name: CString,
    /// The shape for the first batch.
    pub(crate) shape: Vec<usize>,
}

static NETWORKS: RwLock<Option<HashMap<u64, Arc<Loaded>>>> = RwLock::new(None);
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Loaded {
    pub(crate) fn new(session: Session) -> Loaded {
        let array = |info: &cnn::ArrayInfo| Array {
            // A name of a model has no zero within.
            name: CString::new(info.name.replace('\0', "\u{fffd}")).unwrap_or_default(),
            shape: info.shape(session.first_batch()),
        };
        let [inputs, outputs] = [session.inputs(), session.outputs()].map(|infos| infos.iter().map(array).collect());
        Loaded {
            session,
            inputs,
            outputs,
        }
    }
}

/// Keeps a network and gives its number.
pub(crate) fn insert(loaded: Loaded) -> u64 {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut networks = NETWORKS.write().unwrap_or_else(PoisonError::into_inner);
    networks.get_or_insert_default().insert(number, Arc::new(loaded));
    number
}

/// The network of that number. It lives on while it is in use, even if it is closed meanwhile.
pub(crate) fn get(number: u64) -> Result<Arc<Loaded>, Failure> {
    let networks = NETWORKS.read().unwrap_or_else(PoisonError::into_inner);
    let found = networks.as_ref().and_then(|networks| networks.get(&number));
    found.cloned().ok_or(Failure::Closed)
}

/// Forgets a network.
pub(crate) fn remove(number: u64) -> Result<(), Failure> {
    let mut networks = NETWORKS.write().unwrap_or_else(PoisonError::into_inner);
    let removed = networks.as_mut().and_then(|networks| networks.remove(&number));
    // Not under the lock: its threads are joined.
    drop(networks);
    removed.map(drop).ok_or(Failure::Closed)
}
