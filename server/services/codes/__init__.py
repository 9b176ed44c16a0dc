"""One code: resolved, looked at, redeemed; its facts, receipts and history."""
