//! kstatus: is this object current? Pure.
