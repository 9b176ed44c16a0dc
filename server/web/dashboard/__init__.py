"""The dashboard. Importing it imports every module of pages, which puts its routes on the blueprint."""

import server.web.dashboard.alerts.pages
import server.web.dashboard.batches.pages
import server.web.dashboard.codes.pages
import server.web.dashboard.people.pages
import server.web.dashboard.products.pages
