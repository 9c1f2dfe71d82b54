//! Calls that are served otherwise than usual: together, when there is room, or before others.

use rust_decimal::Decimal;

use crate::Service;
use crate::book::{Rate, TokenRates};
use crate::error::PriceError;
use crate::row::{Dollars, ModelPrice, ServicePrice};

/// What calls cost that are served otherwise than usual, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Services {
    batch: Option<ServiceRates>,
    flex: Option<ServiceRates>,
    priority: Option<ServiceRates>,
}

/// What calls of a service cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceRates {
    /// So many times as much as usual.
    Times(Decimal),
    Own(TokenRates),
}

impl Services {
    pub(crate) fn of(&self, service: Service) -> Option<ServiceRates> {
        match service {
            Service::Batch => self.batch,
            Service::Flex => self.flex,
            Service::Priority => self.priority,
        }
    }

    pub(crate) fn new(row: &ModelPrice) -> Result<Self, PriceError> {
        let mut services = Self::default();
        for (service, price) in row.service.written() {
            let rates = match price {
                ServicePrice::Times(Dollars(times)) if is_factor(times) => ServiceRates::Times(times),
                ServicePrice::Times(Dollars(found)) => {
                    return Err(PriceError::Service { model: row.model.clone(), service, found });
                }
                ServicePrice::Rates(rates) => ServiceRates::Own(TokenRates::new(&row.model, &rates)?),
            };
            match service {
                "batch" => services.batch = Some(rates),
                "flex" => services.flex = Some(rates),
                _ => services.priority = Some(rates),
            }
        }
        Ok(services)
    }
}

fn is_factor(times: Decimal) -> bool {
    !times.is_sign_negative() && times <= Decimal::ONE_HUNDRED && times.scale() <= 6
}

/// What can't be the price of a service; each with its place below `service`.
pub(crate) fn problems(row: &ModelPrice) -> impl Iterator<Item = (String, PriceError)> {
    row.service.written().flat_map(|(service, price)| match price {
        ServicePrice::Times(Dollars(times)) if is_factor(times) => Vec::new(),
        ServicePrice::Times(Dollars(found)) => {
            vec![(service.to_owned(), PriceError::Service { model: row.model.clone(), service, found })]
        }
        ServicePrice::Rates(rates) => {
            let wrong =
                |(class, dollars)| Some((format!("{service}.{class}"), Rate::new(&row.model, class, dollars).err()?));
            rates.written().filter_map(wrong).collect()
        }
    })
}
