// Front index of the principal cache: finds an entry by a fast hash of the credential's text.
#pragma once

#include "db/principals/entry_slab.hpp"
#include "db/principals/zeroed_array.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace db {

/** A table of entry numbers, in pairs that a hash selects. It owns nothing and may forget: a hash that is not
    found here is found by the credential's digest, and put in again. So an entry that is removed needs no
    removal here: the principal, which has its hash, tells whether the number still leads to it. */
class front_index {
public:
    /// @param capacity of entries
    front_index(const entry_slab& entries, std::size_t capacity)
        : entries_(entries), numbers_(std::bit_ceil(std::max<std::size_t>(capacity * 2, 2)))
    {}

    /// @return no_entry if it is not known here
    entry_number find(const credential_hash& hash) const
    {
        auto at = position(hash);
        for (auto number : {~numbers_[at], ~numbers_[at + 1]})
            if (is_of(number, hash))
                return number;
        return no_entry;
    }

    /// Remember the entry of a principal with this hash. The older one of a pair is forgotten.
    void insert(const credential_hash& hash, entry_number added)
    {
        used_ = std::min(std::max(used_, std::bit_ceil(2 * (std::size_t{added} + 1))), numbers_.size());
        auto at = position(hash);
        if (numbers_[at] != ~added)
            numbers_[at + 1] = std::exchange(numbers_[at], ~added);
    }

    std::size_t bytes() const { return numbers_.size() * sizeof(entry_number); }

private:
    std::size_t position(const credential_hash& hash) const
    {
        return hash[0] & (used_ - 1) & ~std::size_t{1};
    }

    bool is_of(entry_number number, const credential_hash& hash) const
    {
        if (number == no_entry)
            return false;
        auto& principal = entries_[number].principal;
        return principal && principal->hash == hash;
    }

    const entry_slab& entries_;
    /// Complements of the numbers: 0 is no_entry.
    zeroed_array<entry_number> numbers_;
    /// The part in use grows with the number of entries, so that few entries touch few pages. When it
    /// doubles, half of the entries are forgotten.
    std::size_t used_ = 2;
};

} // namespace db
